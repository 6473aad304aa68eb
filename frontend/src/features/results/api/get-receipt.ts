import { queryOptions } from "@tanstack/react-query";
import type { Receipt } from "../receipt";
import { getLinked } from "./get-linked";

/** The receipt of a completed job, fetched once, when it is asked for. */
export const receiptQuery = (jobId: string) =>
  queryOptions({
    queryKey: ["receipt", jobId],
    queryFn: async ({ signal }) => (await (await getLinked(jobId, (job) => job.receipt.url, signal)).json()) as Receipt,
    networkMode: "always",
    staleTime: Infinity,
  });
