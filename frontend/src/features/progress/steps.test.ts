import { expect, test } from "vitest";
import { completed, failed } from "../../testing/server";
import { DEFAULTS } from "../../jobs/choices";
import type { Job, Progress } from "../../jobs/job";
import { stepsOf, workTime } from "./steps";

const at = (seconds: number) => new Date(Date.UTC(2025, 5, 1, 12, 0, 0, seconds * 1000)).toISOString();
const working = (progress: Progress): Job => ({
  job_id: "a",
  status: "PROCESSING",
  options: DEFAULTS,
  created_at: at(0),
  expires_at: at(0),
  progress,
});
const summary = (job: Job | undefined) =>
  stepsOf(job, 1200).map(({ name, state, milliseconds }) => [name, state, milliseconds]);

test("before the API's first answer, only the upload is done", () => {
  expect(summary(undefined)).toEqual([
    ["upload", "done", 1200],
    ["detect", "current", undefined],
    ["hide", "ahead", undefined],
    ["check", "ahead", undefined],
    ["finished", "ahead", undefined],
  ]);
});

test("a stage is done when the next one begins, and took the time between the two", () => {
  expect(summary(working({ detect: at(1), hide: at(3.5) }))).toEqual([
    ["upload", "done", 1200],
    ["detect", "done", 2500],
    ["hide", "current", undefined],
    ["check", "ahead", undefined],
    ["finished", "ahead", undefined],
  ]);
});

test("the step of hiding missed faces is shown once it has begun", () => {
  const progress = { detect: at(1), hide: at(2), check: at(3), hide_missed: at(4) };
  expect(summary(working(progress)).map(([name, state]) => `${name} ${state}`)).toEqual([
    "upload done",
    "detect done",
    "hide done",
    "check done",
    "hide_missed current",
    "finished ahead",
  ]);
});

test("all steps of a completed job are done", () => {
  const job = completed(working({}));
  expect(stepsOf(job).map((step) => step.state)).toEqual(["done", "done", "done", "done", "done"]);
  expect(stepsOf(job).map((step) => step.milliseconds)).toEqual([undefined, 1500, 500, 1000, undefined]);
  expect(workTime(job)).toBe(3000);
});

test("the last step of a failed job is the one in which it failed", () => {
  const job = {
    ...failed(working({}), "CorruptImage", "…"),
    progress: { detect: at(1), hide: at(2), finished: at(4) },
  };
  expect(summary(job)).toEqual([
    ["upload", "done", 1200],
    ["detect", "done", 1000],
    ["hide", "failed", 2000],
  ]);
});
