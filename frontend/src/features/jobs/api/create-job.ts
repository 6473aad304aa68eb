import { call } from "../../../lib/api";
import type { JobOptions } from "../../options/options";
import type { CreatedJob } from "../job";

export const createJob = (options: JobOptions, signal?: AbortSignal) =>
  call<CreatedJob>("/jobs", { method: "POST", body: options, signal });
