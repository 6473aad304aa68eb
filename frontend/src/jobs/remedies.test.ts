import { expect, test } from "vitest";
import { DEFAULTS } from "./choices";
import { remedyFor } from "./remedies";

test.each([
  ["NothingFound", { min_confidence: 20 }],
  ["ImageTooLarge", { reduce: true }],
  ["PhotoTooDemanding", { reduce: true }],
  ["PhotoTooExpensive", { reduce: true }],
  ["DetectorUnavailable", {}],
  ["TimedOut", {}],
  ["Offline", {}],
  ["THROTTLED", {}],
  ["InvalidOptions", DEFAULTS],
] as const)("after %s the page offers to try again with %o", (code, choices) =>
  expect(remedyFor(code)?.choices).toEqual(choices),
);

test.each(["UnsupportedFormat", "CorruptImage", "ImageTooSmall", "TooMuchToHide", "Interrupted"] as const)(
  "after %s only another photo helps",
  (code) => expect(remedyFor(code)).toBeNull(),
);
