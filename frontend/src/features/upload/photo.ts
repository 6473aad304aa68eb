import type { Failure } from "../../api/failure";
import type { Choices } from "../../jobs/choices";
import type { Decision } from "../../jobs/job";

/** A photo in the list, as this browser knows it. Once it is sent, its job tells the rest. */
export type Photo = {
  /** Identifies the photo in this browser only. */
  id: string;
  name: string;
  bytes: number;
  choices: Choices;
  /** Who is hidden, if a person decided that before the upload. */
  decision?: Decision;
  /** The completed job whose result stays until that of the new job is there. It is a secret. */
  replaces?: string | undefined;
  stage: "checking" | "waiting" | "reducing" | "uploading" | "sent" | "refused" | "cancelled";
  /** Size in pixels of the upright photo, if the browser can tell. */
  width?: number | undefined;
  height?: number | undefined;
  /** Whether the photo must be reduced before upload. */
  mustReduce?: boolean;
  /** Size in bytes before the photo was reduced. */
  reducedFrom?: number;
  /** The fraction that is uploaded, 0 to 1. */
  uploaded?: number;
  /** Id of the job, which is a secret. */
  jobId?: string | undefined;
  /** Ids of earlier jobs that are not yet erased on the server. They are secrets, too. */
  jobsToErase?: readonly string[];
  uploadMilliseconds?: number;
  /** When the upload was complete, in milliseconds since 1970. */
  sentAt?: number;
  /** When this browser forgets the photo, in milliseconds since 1970. */
  forgetAt: number;
  failure?: Failure | undefined;
};

/** Whether this browser has nothing more to do for the photo unless the person asks for it. */
export const isIdle = (photo: Photo) => ["sent", "refused", "cancelled"].includes(photo.stage);

/** All jobs of the photo that the server may still hold. */
export const jobsOf = ({ jobId, jobsToErase = [] }: Photo) => (jobId ? [jobId, ...jobsToErase] : jobsToErase);
