import { call } from "../api/client";
import { Refused } from "../api/failure";

/** Erases everything of a job. A job that no longer exists counts as erased. */
export async function deleteJob(jobId: string): Promise<void> {
  try {
    await call(`/jobs/${jobId}`, { method: "DELETE" });
  } catch (error) {
    if (!(error instanceof Refused && error.code === "JobNotFound")) throw error;
  }
}
