import type { components } from "../api/schema";

type Schemas = components["schemas"];

/** A job as the API shows it. Times are ISO 8601 in UTC. */
export type Job = Schemas["Job"];
export type CompletedJob = Schemas["CompletedJob"];
export type FailedJob = Schemas["FailedJob"];

/** A new job, with the form to upload its photo. */
export type CreatedJob = Schemas["CreatedJob"];

/** The options of a job, every one of them given. */
export type JobOptions = Required<Schemas["JobOptions"]>;

/** A job that waits until a person decides which faces are hidden. */
export type JobInReview = Schemas["JobInReview"];

/** Which faces are hidden, as a person decided. */
export type Decision = Schemas["Decision"];

/** The box of a face or of a place that a person chose, in fractions of the upright photo. */
export type Box = Schemas["Box"];

/** A style and its parameters, as in the job's options. */
export type Appearance = Pick<JobOptions, keyof Schemas["HiddenWith"]>;

/** When each stage of a job first began, and when the job was `finished`. */
export type Progress = Schemas["Progress"];
export type Stage = keyof Progress;

/** Why a person should look at the result before relying on it. */
export type WarningCode = CompletedJob["warnings"][number];

export const isFinished = (job: Job) => job.status === "COMPLETED" || job.status === "FAILED";
