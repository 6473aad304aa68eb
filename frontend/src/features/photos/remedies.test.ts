import { expect, test } from "vitest";
import { DEFAULTS } from "../options/options";
import { remedyFor } from "./remedies";

test.each([
  ["NoFacesFound", { min_confidence: 20 }],
  ["ImageTooLarge", { reduce: true }],
  ["DetectorUnavailable", {}],
  ["TimedOut", {}],
  ["Offline", {}],
  ["InvalidOptions", DEFAULTS],
])("against %s helps %o", (code, choices) => expect(remedyFor(code)?.choices).toEqual(choices));

test.each(["UnsupportedFormat", "CorruptImage", "ImageTooSmall", "TooManyFaces", "Interrupted"])(
  "against %s only another photo helps",
  (code) => expect(remedyFor(code)).toBeNull(),
);
