import { Refused, requestError } from "../../api/failure";
import { withTimeout } from "../../api/timeout";
import { texts } from "../../texts";
import { getJob } from "../../jobs/get-job";
import type { CompletedJob } from "../../jobs/job";

/** The longest that a download may take, in milliseconds. */
const DOWNLOAD_TIMEOUT = 5 * 60_000;

/** Downloads what a completed job links to. Asks for the job again first, because links expire after five minutes. */
export async function getLinked<Content>(
  jobId: string,
  link: (job: CompletedJob) => string,
  read: (response: Response) => Promise<Content>,
  signal: AbortSignal,
): Promise<Content> {
  const job = await getJob(jobId, signal);
  if (job.status !== "COMPLETED") throw new Refused("InternalError", texts.failures.unforeseen);
  const fail = (error: unknown) => {
    throw requestError(error);
  };
  const response = await fetch(link(job), { signal: withTimeout(DOWNLOAD_TIMEOUT, signal) }).catch(fail);
  if (!response.ok) throw new Refused("StorageUnavailable", texts.result.unavailable);
  return read(response).catch(fail);
}
