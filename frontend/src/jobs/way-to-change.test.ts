import { expect, test } from "vitest";
import { completed, failed, inReview } from "../testing/server";
import { DEFAULTS, jobOptions } from "./choices";
import type { Job } from "./job";
import { wayToChange } from "./way-to-change";

const NOW = Date.parse("2025-06-01T13:00:00Z");
const JOB: Job = {
  job_id: "0",
  status: "PROCESSING",
  options: jobOptions(DEFAULTS),
  created_at: "2025-06-01T12:00:00Z",
  expires_at: "2025-06-02T12:00:00Z",
  progress: {},
};

test.each([
  [JOB, true, "working"],
  [failed(JOB, "TimedOut", "Too slow."), true, "failed"],
  [inReview(JOB), false, "review"],
  [completed(JOB, { redo_until: "2025-06-01T14:00:00Z" }), true, "redo"],
  [completed(JOB, { redo_until: "2025-06-01T12:30:00Z" }), true, "upload"],
  [completed(JOB), true, "upload"],
  [completed(JOB), false, "gone"],
])("%o with a file here: %s", (job, hasFile, way) => {
  expect(wayToChange(job, hasFile, NOW).way).toBe(way);
});
