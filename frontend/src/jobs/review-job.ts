import { call } from "../api/client";
import type { Decision } from "./job";

/** Answers a job that waits for a review. Throws Refused, for instance with `ReviewClosed`. */
export async function reviewJob(jobId: string, decision: Decision): Promise<void> {
  await call(`/jobs/${jobId}/review`, { method: "PUT", body: decision });
}
