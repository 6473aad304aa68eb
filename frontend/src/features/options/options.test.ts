import { expect, test } from "vitest";
import { DEFAULTS, jobOptions, readChoices, rememberChoices } from "./options";

test("without a memory, choices are the defaults", () => expect(readChoices()).toEqual(DEFAULTS));

test("choices are remembered", () => {
  rememberChoices({ ...DEFAULTS, style: "solid", padding: 0.5, reduce: true });
  expect(readChoices()).toEqual({ ...DEFAULTS, style: "solid", padding: 0.5, reduce: true });
});

test("a memory of another time is taken as far as it fits", () => {
  localStorage.setItem("faceblur.options", JSON.stringify({ style: "pixelate", padding: "wide", radius: 3 }));
  expect(readChoices()).toEqual({ ...DEFAULTS, style: "pixelate" });
});

test("a broken memory is none", () => {
  localStorage.setItem("faceblur.options", "{");
  expect(readChoices()).toEqual(DEFAULTS);
});

test("what only the page knows is not told to the API", () => {
  expect(jobOptions(DEFAULTS)).not.toHaveProperty("reduce");
});
