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

/** When each stage of a job first began, and when the job was `finished`. */
export type Progress = Schemas["Progress"];
export type Stage = keyof Progress;

/** Why a person should look at the result before relying on it. */
export type WarningCode = CompletedJob["warnings"][number];

export const isFinished = (job: Job) => job.status === "COMPLETED" || job.status === "FAILED";
