import { call } from "../api/client";
import type { Appearance, Decision } from "./job";

/** Does a completed job again. Throws Refused, for instance with `OriginalDeleted`. */
export async function redoJob(jobId: string, changes: Partial<Appearance> & Decision): Promise<void> {
  await call(`/jobs/${jobId}/redo`, { method: "POST", body: changes });
}
