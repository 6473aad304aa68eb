import { expect, test } from "vitest";
import { paintedFrame } from "./paint";

const SIZE = { width: 1000, height: 800 };
const BOX = { left: 0.3, top: 0.2, width: 0.2, height: 0.3, turned: false };
const PADDING = 0.24;

// What `outline` in functions/faceblur/photo/outlines.py gives for the same boxes.
test.each([
  ["ellipse", 0, [400, 304.36, 148, 177.6, 0]],
  ["ellipse", 20, [391.499, 303.357, 143.554, 181.213, 20]],
  ["rounded", 20, [400, 280, 148, 177.6, 0]],
] as const)("%s at a roll of %i degrees is painted where the server paints it", (shape, roll, expected) => {
  const frame = paintedFrame({ ...BOX, roll }, { shape, padding: PADDING }, "face", SIZE);
  expect(Object.values(frame)).toEqual(expected.map((value) => expect.closeTo(value, 2) as number));
});

test("a person's box is covered as it lies, in every shape", () => {
  const place = { ...BOX, roll: 20, turned: true };
  const expected = [400, 280, 148, 177.6, 20].map((value) => expect.closeTo(value, 2) as number);
  expect(Object.values(paintedFrame(place, { shape: "ellipse", padding: PADDING }, "face", SIZE))).toEqual(expected);
  expect(Object.values(paintedFrame(place, { shape: "box", padding: PADDING }, "face", SIZE))).toEqual(expected);
});

test("a plate is covered by a box as it lies, whose padding is a share of its height", () => {
  const place = { left: 0.4, top: 0.45, width: 0.2, height: 0.1, roll: 10, turned: true };
  const frame = paintedFrame(place, { shape: "ellipse", padding: 0.5 }, "plate", { width: 1000, height: 1000 });
  expect(frame).toEqual({ x: 500, y: 500, across: 150, down: 100, roll: 10 });
});
