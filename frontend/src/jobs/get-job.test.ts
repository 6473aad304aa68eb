import { expect, test } from "vitest";
import { pollDelay } from "./get-job";

test("polling starts fast and slows down", () => {
  const delays = [0, 1, 2, 5, 10, 50].map((answers) => pollDelay(answers, 0));
  expect(delays[0]).toBeLessThanOrEqual(500);
  expect(delays).toEqual([...delays].sort((one, other) => one - other));
  expect(delays.at(-1)).toBe(4000);
});

test("polling slows down further while the server does not answer", () => {
  expect(pollDelay(0, 1)).toBeGreaterThan(pollDelay(0, 0));
  expect(pollDelay(0, 100)).toBe(10_000);
});
