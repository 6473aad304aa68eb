import { queryOptions, useQuery } from "@tanstack/react-query";
import { call } from "../../../lib/api";
import { Refused } from "../../../lib/failure";
import { isFinished, type Job } from "../job";

export const getJob = (jobId: string, signal?: AbortSignal) => call<Job>(`/jobs/${jobId}`, { signal });

/** How long to wait before asking again, in milliseconds: quick at first, then slower, slowest while nobody answers. */
export function pollDelay(answers: number, failures: number): number {
  return failures > 0 ? Math.min(1000 * 1.6 ** failures, 10_000) : Math.min(400 * 1.25 ** answers, 4000);
}

export const isGone = (error: unknown) => error instanceof Refused && error.code === "JobNotFound";

/** Follows a job until it is finished or gone; stops while the page is hidden, goes on through a lost network. */
export const jobQuery = (jobId: string) =>
  queryOptions({
    queryKey: ["job", jobId],
    queryFn: ({ signal }) => getJob(jobId, signal),
    // The browser's own idea of being online knows nothing of a server on this machine.
    networkMode: "always",
    retry: false,
    gcTime: Infinity,
    staleTime: ({ state }) => (state.data && isFinished(state.data) ? Infinity : 0),
    refetchOnReconnect: true,
    refetchInterval: ({ state }) => {
      if (isGone(state.error) || (state.data && isFinished(state.data))) return false;
      return pollDelay(state.dataUpdateCount, state.error ? state.errorUpdateCount : 0);
    },
  });

export const useJob = (jobId: string | undefined) =>
  useQuery({ ...jobQuery(jobId ?? ""), enabled: jobId !== undefined });
