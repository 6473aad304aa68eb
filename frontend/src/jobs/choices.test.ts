import { expect, test } from "vitest";
import { CONFIDENCE, DEFAULTS, jobOptions, PADDING, readChoices, rememberChoices, STRENGTH } from "./choices";

test("nothing remembered: the choices are the defaults", () => expect(readChoices()).toEqual(DEFAULTS));

test("choices are remembered", () => {
  rememberChoices({ ...DEFAULTS, style: "solid", padding: 0.5, reduce: true });
  expect(readChoices()).toEqual({ ...DEFAULTS, style: "solid", padding: 0.5, reduce: true });
});

test("remembered values of unknown names or wrong types are ignored", () => {
  localStorage.setItem("faceblur.options", JSON.stringify({ style: "pixelate", padding: "wide", radius: 3 }));
  expect(readChoices()).toEqual({ ...DEFAULTS, style: "pixelate" });
});

test("kinds of metadata are remembered, and unknown ones are ignored", () => {
  rememberChoices({ ...DEFAULTS, keep_metadata: ["time", "credit"] });
  expect(readChoices().keep_metadata).toEqual(["time", "credit"]);
  for (const [stored, expected] of [
    [["credit", "serial", 1], ["credit"]],
    [null, []],
    [{ credit: true }, []],
    ["credit", []],
  ]) {
    localStorage.setItem("faceblur.options", JSON.stringify({ keep_metadata: stored }));
    expect(readChoices().keep_metadata).toEqual(expected);
  }
});

test("the kinds to hide are remembered, and without one they are the default", () => {
  rememberChoices({ ...DEFAULTS, kinds: ["face", "plate"] });
  expect(readChoices().kinds).toEqual(["face", "plate"]);
  for (const stored of [[], ["car"], "plate", null]) {
    localStorage.setItem("faceblur.options", JSON.stringify({ kinds: stored }));
    expect(readChoices().kinds).toEqual(DEFAULTS.kinds);
  }
});

test("remembered text that is not JSON is ignored", () => {
  localStorage.setItem("faceblur.options", "{");
  expect(readChoices()).toEqual(DEFAULTS);
});

test("the choice to reduce photos is not sent to the API", () => {
  expect(jobOptions(DEFAULTS)).not.toHaveProperty("reduce");
});

test.each([
  ["padding", PADDING, DEFAULTS.padding],
  ["confidence", CONFIDENCE, DEFAULTS.min_confidence],
  ["strength", STRENGTH, DEFAULTS.strength],
])("the slider of the %s can stand at the default", (_, { min, max, step }, value) => {
  expect(value).toBeGreaterThanOrEqual(min);
  expect(value).toBeLessThanOrEqual(max);
  const steps = (value - min) / step;
  expect(steps).toBeCloseTo(Math.round(steps));
});
