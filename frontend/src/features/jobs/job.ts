import type { Failure } from "../../lib/failure";
import type { JobOptions } from "../options/options";

/** A job as the API shows it; times are ISO 8601 in UTC. */
export type Job = UnfinishedJob | CompletedJob | FailedJob;

/** When each stage of a job first began, those that did, and when the job was `finished`. */
export type Progress = Partial<Record<Stage, string>>;
export const STAGES = ["detect", "hide", "check", "hide_missed", "finished"] as const;
export type Stage = (typeof STAGES)[number];

type Common = { job_id: string; options: JobOptions; created_at: string; expires_at: string; progress: Progress };

export type UnfinishedJob = Common & { status: "AWAITING_UPLOAD" | "PROCESSING" };
export type FailedJob = Common & { status: "FAILED"; error: Failure };
export type CompletedJob = Common & {
  status: "COMPLETED";
  /** How many faces are hidden. */
  faces: number;
  /** How many of them the first look missed and a check found. */
  missed_at_first: number;
  /** How often the result was checked. */
  check_rounds: number;
  warnings: string[];
  receipt: { url: string };
  result: { url: string; content_type: string; bytes: number; width: number; height: number; stripped: string[] };
};

/** A new job, with the form to upload its photo. */
export type CreatedJob = {
  job_id: string;
  options: JobOptions;
  upload: { url: string; fields: Record<string, string>; expires_at: string; max_bytes: number };
};

export const isFinished = (job: Job) => job.status === "COMPLETED" || job.status === "FAILED";
