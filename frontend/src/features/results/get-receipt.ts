import { queryOptions } from "@tanstack/react-query";
import type { JobWithResult } from "../../jobs/job";
import type { Receipt } from "./receipt";
import { getLinked, versionOf } from "./get-linked";

/** The receipt of a job's result, downloaded once. */
export const receiptQuery = (job: Pick<JobWithResult, "job_id" | "result">) =>
  queryOptions({
    queryKey: ["receipt", versionOf(job)],
    queryFn: ({ signal }) =>
      getLinked(
        job.job_id,
        ({ receipt }) => receipt.url,
        (response) => response.json() as Promise<Receipt>,
        signal,
      ),
    networkMode: "always",
    staleTime: Infinity,
  });
