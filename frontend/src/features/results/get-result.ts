import { queryOptions } from "@tanstack/react-query";
import { getLinked } from "./get-linked";

/** The photo with its faces hidden, downloaded once. */
export const resultQuery = (jobId: string) =>
  queryOptions({
    queryKey: ["result", jobId],
    queryFn: ({ signal }) =>
      getLinked(
        jobId,
        (job) => job.result.url,
        (response) => response.blob(),
        signal,
      ),
    networkMode: "always",
    staleTime: Infinity,
    gcTime: 0,
  });
