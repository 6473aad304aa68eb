import { Refused, requestError } from "../../api/failure";
import { withTimeout } from "../../api/timeout";
import { texts } from "../../texts";
import { getJob } from "../../jobs/get-job";
import { hasResult, type JobWithResult } from "../../jobs/job";

/** The longest that a download may take, in milliseconds. */
const DOWNLOAD_TIMEOUT = 5 * 60_000;

/** Tells the results of one job apart: each has its own file, and the links to it differ in their signatures only. */
export const versionOf = ({ result }: Pick<JobWithResult, "result">) => new URL(result.url).pathname;

/** Downloads what a job with a result links to. Asks for the job again first, because links expire after five minutes. */
export async function getLinked<Content>(
  jobId: string,
  link: (job: JobWithResult) => string,
  read: (response: Response) => Promise<Content>,
  signal: AbortSignal,
): Promise<Content> {
  const job = await getJob(jobId, signal);
  if (!hasResult(job)) throw new Refused("InternalError", texts.failures.unforeseen);
  const fail = (error: unknown) => {
    throw requestError(error);
  };
  const response = await fetch(link(job), { signal: withTimeout(DOWNLOAD_TIMEOUT, signal) }).catch(fail);
  if (!response.ok) throw new Refused("StorageUnavailable", texts.result.unavailable);
  return read(response).catch(fail);
}
