import { expect, test } from "vitest";
import { bytes, duration, percent, pixels, timeLeft } from "./format";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1 kB"],
  [812_400, "812 kB"],
  [999_600, "1 MB"],
  [35_000_000, "35 MB"],
  [3_440_000, "3.4 MB"],
])("%i bytes are written as %s", (count, text) => expect(bytes(count)).toBe(text));

test.each([
  [-5, "0.1 s"],
  [840, "0.8 s"],
  [9949, "9.9 s"],
  [9960, "10 s"],
  [12_400, "12 s"],
  [125_000, "2 min 5 s"],
  [59_700, "1 min 0 s"],
])("a duration of %i milliseconds is written as %s", (milliseconds, text) => expect(duration(milliseconds)).toBe(text));

test.each([
  [30_000, "less than a minute"],
  [12 * 60_000, "12 min"],
  [24 * 3_600_000 - 1, "23 h 59 min"],
])("a remaining time of %i milliseconds is written as %s", (milliseconds, text) =>
  expect(timeLeft(milliseconds)).toBe(text),
);

test("percentages and pixel sizes", () => {
  expect([percent(0.255), pixels(8000, 600)]).toEqual(["26 %", "8,000 × 600"]);
});
