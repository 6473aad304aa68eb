import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { DEFAULTS, jobOptions } from "../jobs/choices";
import type { Job, PhotoState } from "../jobs/job";
import type { Photo } from "../features/upload/photo";
import { completed } from "../testing/server";
import { resultFiles, withResult } from "./outputs";
import type { PhotoWithJob } from "./photo-state";

const created = (job_id: string): Job => ({
  job_id,
  status: "PROCESSING",
  options: jobOptions(DEFAULTS),
  created_at: "2025-06-01T12:00:00.000Z",
  expires_at: "2025-06-02T12:00:00.000Z",
  progress: {},
});

/** A photo of the list with a completed job. */
function inList(name: string, state: PhotoState): PhotoWithJob {
  const times = { addedAt: 0, place: 0, forgetAt: 0 };
  const photo: Photo = { id: name, name, bytes: 1, choices: DEFAULTS, stage: "sent", ...times };
  return { photo, job: completed(created(name)), error: null, state };
}

test("a deleted photo cannot be downloaded, although its completed job is still known", () => {
  const photos = [inList("a.jpg", "done"), inList("b.jpg", "deleted"), inList("c.jpg", "look")];
  expect(withResult(photos).map(({ name }) => name)).toEqual(["a.jpg", "c.jpg"]);
});

test("if no result can be loaded, the reason is told", async () => {
  const photos = [{ name: "a.jpg", job: completed(created("a")) }];
  await expect(resultFiles(new QueryClient(), photos, "-x")).rejects.toMatchObject({ code: "JobNotFound" });
});
