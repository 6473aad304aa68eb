import type { Failure } from "../../api/failure";
import type { Choices } from "../../jobs/choices";
import type { Decision } from "../../jobs/job";
import type { Limits } from "./check-photo";
import type { Size } from "./photo-size";

/** A photo in the list, with the information of this browser. Once it is sent, its job has the rest. */
export type Photo = {
  /** Identifies the photo in this browser only. */
  id: string;
  name: string;
  bytes: number;
  /** When it was added, in milliseconds since 1970. */
  addedAt: number;
  /** Its place among the photos that were added with it, from 0. */
  place: number;
  choices: Choices;
  /** What is hidden, if a person decided that before the upload. */
  decision?: Decision | undefined;
  /** The id of the completed job whose result stays until the new job is completed. The id is a secret. */
  replaces?: string | undefined;
  stage: "checking" | "waiting" | "reducing" | "uploading" | "sent" | "refused" | "cancelled";
  /** Size in pixels of the upright photo, if the browser can tell. */
  width?: number | undefined;
  height?: number | undefined;
  /** The limits that the photo exceeds. It must be reduced to them before upload. */
  mustReduce?: Limits | undefined;
  /** The file size and the pixels of the photo before it was reduced. */
  reducedFrom?: { bytes: number } & Size;
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

/** Whether this browser does nothing more for the photo unless the person asks for it. */
export const isIdle = (photo: Pick<Photo, "stage">) => ["sent", "refused", "cancelled"].includes(photo.stage);

/** Sorts photos as the page lists them: the last added come first, and photos added together keep their order. */
export const inListOrder = (one: Photo, other: Photo) => other.addedAt - one.addedAt || one.place - other.place;

/** Sorts photos in the order of the work: as they were added. */
export const inWorkOrder = (one: Photo, other: Photo) => one.addedAt - other.addedAt || one.place - other.place;

/** All jobs of the photo that the server may still hold. */
export const jobsOf = ({ jobId, jobsToErase = [] }: Photo) => (jobId ? [jobId, ...jobsToErase] : jobsToErase);
