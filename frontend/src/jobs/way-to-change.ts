import type { CompletedJob, Job, JobInReview } from "./job";

/**
 * How a person's decision about a job is carried out: as the answer to its review, by a redo on the server, or by a new job
 * with the photo in this browser. Or why nothing can be decided: the job is in work, it failed, or the photo is gone.
 */
export type WayToChange =
  | { way: "review"; job: JobInReview }
  | { way: "redo" | "upload"; job: CompletedJob }
  | { way: "working" | "failed" | "gone" };

export function wayToChange(job: Job, hasFile: boolean, now: number): WayToChange {
  if (job.status === "AWAITING_REVIEW") return { way: "review", job };
  if (job.status === "FAILED") return { way: "failed" };
  if (job.status !== "COMPLETED") return { way: "working" };
  if (job.redo_until !== undefined && Date.parse(job.redo_until) > now) return { way: "redo", job };
  return hasFile ? { way: "upload", job } : { way: "gone" };
}
