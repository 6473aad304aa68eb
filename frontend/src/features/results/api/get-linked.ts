import { Refused, unanswered } from "../../../lib/failure";
import { within } from "../../../lib/within";
import { texts } from "../../../texts";
import { getJob } from "../../jobs/api/get-job";
import type { CompletedJob } from "../../jobs/job";

/** How long a download may take, in milliseconds. */
const DOWNLOAD = 5 * 60_000;

/** Fetches what a completed job links to, with a fresh link, since links live for five minutes. */
export async function getLinked<Content>(
  jobId: string,
  link: (job: CompletedJob) => string,
  read: (response: Response) => Promise<Content>,
  signal: AbortSignal,
): Promise<Content> {
  const job = await getJob(jobId, signal);
  if (job.status !== "COMPLETED") throw new Refused("InternalError", texts.failures.unforeseen);
  const told = (error: unknown) => {
    throw unanswered(error);
  };
  const response = await fetch(link(job), { signal: within(DOWNLOAD, signal) }).catch(told);
  if (!response.ok) throw new Refused("StorageUnavailable", texts.result.unavailable);
  return read(response).catch(told);
}
