import { queryOptions } from "@tanstack/react-query";
import type { JobWithResult } from "../../jobs/job";
import { getLinked, versionOf } from "./get-linked";

/** The result of a job, downloaded once. */
export const resultQuery = (job: Pick<JobWithResult, "job_id" | "result">) =>
  queryOptions({
    queryKey: ["result", versionOf(job)],
    queryFn: ({ signal }) =>
      getLinked(
        job.job_id,
        ({ result }) => result.url,
        (response) => response.blob(),
        signal,
      ),
    networkMode: "always",
    staleTime: Infinity,
    gcTime: 0,
  });
