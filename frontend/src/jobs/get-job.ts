import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import { Refused } from "../api/failure";
import { isFinished, type Job } from "./job";

export const getJob = (jobId: string, signal?: AbortSignal) => call<Job>(`/jobs/${jobId}`, { signal });

/** Milliseconds until the next request: short at first, longer with each answer, longest while the server is away. */
export function pollDelay(answers: number, failures: number): number {
  return failures > 0 ? Math.min(1000 * 1.6 ** failures, 10_000) : Math.min(400 * 1.25 ** answers, 4000);
}

/** Milliseconds between the requests for a job that waits for a person, who may have answered in another tab. */
const REVIEW_DELAY = 10_000;

/** Whether the error says that the job no longer exists. */
export const isDeleted = (error: unknown) => error instanceof Refused && error.code === "JobNotFound";

/** Polls a job until it is finished or deleted. Pauses while the page is hidden, continues after a network failure. */
export const jobQuery = (jobId: string) =>
  queryOptions({
    queryKey: ["job", jobId],
    queryFn: ({ signal }) => getJob(jobId, signal),
    // An offline browser can still reach a server on this machine.
    networkMode: "always",
    retry: false,
    gcTime: Infinity,
    staleTime: ({ state }) => (state.data && isFinished(state.data) ? Infinity : 0),
    refetchOnReconnect: true,
    refetchInterval: ({ state }) => {
      if (isDeleted(state.error) || (state.data && isFinished(state.data))) return false;
      if (state.data?.status === "AWAITING_REVIEW") return REVIEW_DELAY;
      return pollDelay(state.dataUpdateCount, state.error ? state.errorUpdateCount : 0);
    },
  });
