import { expect, test } from "vitest";
import { fit, panBy, reveal, toPicture, zoomTo } from "./view";

const PICTURE = { width: 1000, height: 500 };
const STAGE = { width: 500, height: 500 };

test("at first the whole picture is in the middle", () => {
  expect(fit(PICTURE, STAGE)).toEqual({ scale: 0.5, x: 0, y: 125 });
});

test("what is under the pointer stays there while zooming", () => {
  const at = { x: 100, y: 250 };
  const before = fit(PICTURE, STAGE);
  const after = zoomTo(before, 2, at, PICTURE, STAGE);
  expect(after.scale).toBe(2);
  expect(toPicture(after, at)).toEqual(toPicture(before, at));
});

test("the picture is never smaller than fits, and never too large", () => {
  const at = { x: 250, y: 250 };
  expect(zoomTo(fit(PICTURE, STAGE), 0.01, at, PICTURE, STAGE)).toEqual(fit(PICTURE, STAGE));
  expect(zoomTo(fit(PICTURE, STAGE), 100, at, PICTURE, STAGE).scale).toBe(8);
});

test("the picture is not moved out of the stage", () => {
  const zoomed = zoomTo(fit(PICTURE, STAGE), 1, { x: 250, y: 250 }, PICTURE, STAGE);
  expect(panBy(zoomed, 9999, 9999, PICTURE, STAGE)).toEqual({ scale: 1, x: 0, y: 0 });
  expect(panBy(zoomed, -9999, 0, PICTURE, STAGE).x).toBe(-500);
});

test("a region outside the stage is moved into it, and one inside stays", () => {
  const zoomed = zoomTo(fit(PICTURE, STAGE), 1, { x: 0, y: 250 }, PICTURE, STAGE);
  expect(reveal(zoomed, { x: 900, y: 250 }, PICTURE, STAGE).x).toBe(-460);
  expect(reveal(zoomed, { x: 250, y: 250 }, PICTURE, STAGE)).toBe(zoomed);
});
