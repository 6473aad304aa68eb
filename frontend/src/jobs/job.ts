import type { components } from "../api/schema";

type Schemas = components["schemas"];

/** A job as the API shows it. Times are ISO 8601 in UTC. */
export type Job = Schemas["Job"];
export type CompletedJob = Schemas["CompletedJob"];
export type JobInReview = Schemas["JobInReview"];
export type FailedJob = Schemas["FailedJob"];

/** A new job, with the form to upload its photo. */
export type CreatedJob = Schemas["CreatedJob"];

/** The options of a job. None is left out. */
export type JobOptions = Required<Schemas["JobOptions"]>;

/** The kind of something to hide. */
export type Kind = Schemas["Kind"];

/** A number for each kind. */
export type Counts = Schemas["Counts"];

/** The sum over all kinds. */
export const totalOf = ({ face, plate, text }: Counts) => face + plate + text;

/** The number of these of each kind. */
export function countKinds(things: readonly { kind: Kind }[]): Counts {
  const counts = { face: 0, plate: 0, text: 0 };
  things.forEach(({ kind }) => (counts[kind] += 1));
  return counts;
}

/** What is hidden, as a person decided. */
export type Decision = Schemas["Decision"];

/** A box that was found, or a place that a person chose, in fractions of the upright photo. */
export type Box = Schemas["Box"];

/** A style and its parameters, as in the job's options. */
export type Appearance = Pick<JobOptions, keyof Schemas["HiddenWith"]>;

/** When each stage of a job first began, and when the job was `finished`. */
export type Progress = Schemas["Progress"];
export type Stage = keyof Progress;

/** Why a person should look at the result before relying on it. */
export type WarningCode = CompletedJob["warnings"][number];

/** A job with a checked result. While a completed job is done again, this is its last result. */
export type JobWithResult = Exclude<Job, FailedJob> & Pick<CompletedJob, "receipt" | "result">;

export const hasResult = (job: Job | undefined): job is JobWithResult =>
  job !== undefined && job.status !== "FAILED" && "result" in job && job.result !== undefined;

/** Warnings that something may still be visible. In a job with an answered review, they arose after the answer. */
const DOUBTS: readonly WarningCode[] = ["BelowConfidence", "ChecksNotSettled"];

/** Whether a person must look at the result, because something may be visible and nobody has decided about it. */
export const mustBeLookedAt = ({ reviewed, warnings }: CompletedJob) =>
  warnings.some((code) => DOUBTS.includes(code) || (code === "NothingFound" && !reviewed));

/** The state of a photo for the person. The page lists the states in this order. */
export const PHOTO_STATES = ["done", "look", "review", "working", "failed", "cancelled", "deleted"] as const;
export type PhotoState = (typeof PHOTO_STATES)[number];

export const isFinished = (job: Job) => job.status === "COMPLETED" || job.status === "FAILED";
