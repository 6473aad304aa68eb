import type { Failure } from "../../lib/failure";
import type { Choices } from "../options/options";

/** A photo in the list, as far as this browser knows it; the job, once there is one, knows the rest. */
export type Photo = {
  /** Names the photo in this browser alone. */
  id: string;
  name: string;
  bytes: number;
  choices: Choices;
  stage: "checking" | "waiting" | "reducing" | "uploading" | "sent" | "refused" | "cancelled";
  /** Size in pixels as it is meant to be seen, if the browser can tell. */
  width?: number | undefined;
  height?: number | undefined;
  /** Whether it must be reduced before upload. */
  mustReduce?: boolean;
  /** Its size before it was reduced. */
  reducedFrom?: number;
  /** The fraction that is uploaded. */
  uploaded?: number;
  /** Key to the job: a secret. */
  jobId?: string | undefined;
  /** Jobs of earlier tries that the server has not erased yet: secrets as well. */
  jobsToErase?: readonly string[];
  uploadMilliseconds?: number;
  /** When it was handed over, in milliseconds. */
  sentAt?: number;
  /** When all that is left of it is to be forgotten, in milliseconds. */
  forgetAt: number;
  failure?: Failure | undefined;
};

/** Whether nothing more happens to the photo in this browser without the person. */
export const isResting = (photo: Photo) => ["sent", "refused", "cancelled"].includes(photo.stage);

/** All jobs that the server may still have something of. */
export const jobsOf = ({ jobId, jobsToErase = [] }: Photo) => (jobId ? [jobId, ...jobsToErase] : jobsToErase);

/** A name without its extension. */
export const stem = (name: string) => name.replace(/\.[^.]*$/, "") || name;
