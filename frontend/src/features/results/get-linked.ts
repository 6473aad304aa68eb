import { Refused, requestError } from "../../api/failure";
import { withTimeout } from "../../api/timeout";
import { texts } from "../../texts";
import { getJob } from "../../jobs/get-job";
import { hasResult, type JobWithResult } from "../../jobs/job";

/** The longest that a download may take, in milliseconds. */
const DOWNLOAD_TIMEOUT = 5 * 60_000;

/** Identifies a result of a job. Each result has its own file, and links to the same file differ only in signatures. */
export const versionOf = ({ result }: Pick<JobWithResult, "result">) => new URL(result.url).pathname;

/** Downloads a linked file of a job with a result. Asks for the job again first, because links expire in five minutes. */
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
