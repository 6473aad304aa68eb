import { call } from "../api/client";
import type { Decision } from "./job";
import { tellOtherTabs } from "./other-tabs";

/** Answers a job that waits for a review. Throws Refused, for instance with `ReviewClosed`. */
export async function reviewJob(jobId: string, decision: Decision): Promise<void> {
  try {
    await call(`/jobs/${jobId}/review`, { method: "PUT", body: decision });
  } finally {
    tellOtherTabs(jobId); // also if only the answer was lost
  }
}
