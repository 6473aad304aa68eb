import { call } from "../api/client";
import { Refused } from "../api/failure";
import type { CreatedJob, Decision, JobOptions } from "./job";

/** Creates a job. If no answer arrives, for instance on a slow line, tries once more. */
export async function createJob(options: JobOptions & Decision, signal?: AbortSignal): Promise<CreatedJob> {
  const create = () => call<CreatedJob>("/jobs", { method: "POST", body: options, signal });
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof Refused && error.code === "Offline")) throw error;
    return create(); // if the first request did create a job, that job gets no photo and expires
  }
}
