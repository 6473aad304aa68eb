import { isAbort, offline, Refused } from "../../../lib/failure";
import { texts } from "../../../texts";
import { getJob } from "../../jobs/api/get-job";
import type { CompletedJob } from "../../jobs/job";

/** Fetches what a completed job links to, with a fresh link, since links live for five minutes. */
export async function getLinked(
  jobId: string,
  link: (job: CompletedJob) => string,
  signal: AbortSignal,
): Promise<Response> {
  const job = await getJob(jobId, signal);
  if (job.status !== "COMPLETED") throw new Refused("InternalError", texts.failures.unforeseen);
  const response = await fetch(link(job), { signal }).catch((error: unknown) => {
    throw isAbort(error) ? error : offline();
  });
  if (!response.ok) throw new Refused("StorageUnavailable", texts.result.unavailable);
  return response;
}
