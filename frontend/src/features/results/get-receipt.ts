import { queryOptions } from "@tanstack/react-query";
import type { Receipt } from "./receipt";
import { getLinked } from "./get-linked";

/** The receipt of a completed job, downloaded once. */
export const receiptQuery = (jobId: string) =>
  queryOptions({
    queryKey: ["receipt", jobId],
    queryFn: ({ signal }) =>
      getLinked(
        jobId,
        (job) => job.receipt.url,
        (response) => response.json() as Promise<Receipt>,
        signal,
      ),
    networkMode: "always",
    staleTime: Infinity,
  });
