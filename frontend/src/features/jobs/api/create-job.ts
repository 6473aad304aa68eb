import { call } from "../../../lib/api";
import { Refused } from "../../../lib/failure";
import type { JobOptions } from "../../options/options";
import type { CreatedJob } from "../job";

/** Creates a job. Its answer may be lost, or late where a line or a server is slow: then it is asked once more. */
export async function createJob(options: JobOptions, signal?: AbortSignal): Promise<CreatedJob> {
  const create = () => call<CreatedJob>("/jobs", { method: "POST", body: options, signal });
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof Refused && error.code === "Offline")) throw error;
    return create(); // a job that was created all the same gets no photo, and its row expires
  }
}
