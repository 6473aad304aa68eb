import { call } from "../api/client";
import type { Appearance, Decision } from "./job";
import { tellOtherTabs } from "./other-tabs";

/** Does a completed job again. Throws Refused, for instance with `OriginalDeleted`. */
export async function redoJob(jobId: string, changes: Partial<Appearance> & Decision): Promise<void> {
  try {
    await call(`/jobs/${jobId}/redo`, { method: "POST", body: changes });
  } finally {
    tellOtherTabs(jobId); // also if only the answer was lost
  }
}
