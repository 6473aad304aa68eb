import { expect, test } from "vitest";
import { REDUCED_PIXELS } from "./features/photos/reduce-photo";
import { MAX_BYTES, MAX_PIXELS } from "./limits";
import { texts } from "./texts";

test("the limits are told as they are", () => {
  expect(texts.drop.formats).toContain(`${MAX_BYTES / 1_000_000} MB and ${MAX_PIXELS / 1_000_000} megapixels`);
  expect(texts.failures.refusedTooLarge).toContain(`${MAX_BYTES / 1_000_000} MB`);
  expect(texts.options.reduce.explain).toContain(`${REDUCED_PIXELS / 1_000_000} megapixels`);
});
