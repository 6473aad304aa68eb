import { call } from "../../../lib/api";
import { Refused } from "../../../lib/failure";

/** Erases everything of a job; one that is gone already is as good as erased. */
export async function deleteJob(jobId: string): Promise<void> {
  try {
    await call(`/jobs/${jobId}`, { method: "DELETE" });
  } catch (error) {
    if (!(error instanceof Refused && error.code === "JobNotFound")) throw error;
  }
}
