import { expect, test } from "vitest";
import { boundsOf, clip, frameOf, fromFrame, headFrame, placeOf, toFrame, type Frame } from "./geometry";

const SIZE = { width: 1000, height: 800 };
const BOX = { left: 0.3, top: 0.2, width: 0.2, height: 0.3, roll: 20, turned: false };

/** A frame with its numbers rounded, because they are computed with angles. */
const rounded = (frame: Frame) => Object.values(frame).map((value) => Math.round(value * 1000) / 1000);

test("a detector's box is upright, and a person's box is turned by its roll", () => {
  expect(rounded(frameOf(BOX, SIZE))).toEqual([400, 280, 100, 120, 0]);
  expect(rounded(frameOf({ ...BOX, turned: true }, SIZE))).toEqual([400, 280, 100, 120, 20]);
});

test("a place and its frame tell the same", () => {
  const place = { ...BOX, turned: true };
  const { left, top, width, height, ...rest } = placeOf(frameOf(place, SIZE), SIZE);
  expect([left, top, width, height]).toEqual([0.3, 0.2, 0.2, 0.3].map((value) => expect.closeTo(value) as number));
  expect(rest).toEqual({ roll: 20, turned: true });
});

test("the frame of an upright head is its box", () => {
  expect(rounded(headFrame({ ...BOX, roll: 0 }, SIZE))).toEqual([400, 280, 100, 120, 0]);
});

test("points are taken into a turned frame and back", () => {
  const frame = { x: 50, y: 40, across: 10, down: 20, roll: 90 };
  const inside = toFrame({ x: 50, y: 45 }, frame);
  expect([inside.x, inside.y]).toEqual([expect.closeTo(5), expect.closeTo(0)]);
  const back = fromFrame(inside, frame);
  expect([back.x, back.y]).toEqual([expect.closeTo(50), expect.closeTo(45)]);
});

test("the bounds of a frame turned by a right angle have its sides exchanged, and are clipped by the picture", () => {
  const bounds = boundsOf({ x: 5, y: 50, across: 10, down: 20, roll: 90 });
  expect(Object.values(bounds)).toEqual([-15, 40, 40, 20].map((value) => expect.closeTo(value) as number));
  expect(clip({ left: -15, top: 40, width: 40, height: 20 }, { width: 20, height: 50 })).toEqual({
    left: 0,
    top: 40,
    width: 20,
    height: 10,
  });
});
