import { expect, test } from "vitest";
import type { Region } from "../../jobs/decision";
import { frameOf, type Place } from "../../lib/geometry";
import { dragged, drawn, regionAt, grownBy, handleAt, movedBy, nextRegion, rolledBy } from "./shapes";

const SIZE = { width: 100, height: 100 };
const at = (left: number, top: number, side = 0.2): Place => ({
  left,
  top,
  width: side,
  height: side,
  roll: 0,
  turned: true,
});
const region = (key: string, place: Place): Region => ({ key, place, hidden: true, kind: "face" });
/** Rounded, because fractions are not exact. */
const numbers = ({ left, top, width, height, roll }: Place) =>
  [left, top, width, height, roll].map((value) => Math.round(value * 1000) / 1000);

test("of two regions at a point, the smaller one is meant", () => {
  const regions = [region("large", at(0.1, 0.1, 0.6)), region("small", at(0.3, 0.3))];
  expect(regionAt(regions, { x: 40, y: 40 }, SIZE, 0)?.key).toBe("small");
  expect(regionAt(regions, { x: 15, y: 15 }, SIZE, 0)?.key).toBe("large");
  expect(regionAt(regions, { x: 90, y: 90 }, SIZE, 0)).toBeUndefined();
});

test("a finger also reaches a region that it misses by a little", () => {
  const regions = [region("tiny", at(0.5, 0.5, 0.02))];
  expect(regionAt(regions, { x: 47, y: 50 }, SIZE, 2)).toBeUndefined();
  expect(regionAt(regions, { x: 47, y: 50 }, SIZE, 4)?.key).toBe("tiny");
});

test("a box is grasped at its corners, above its upper edge, and inside", () => {
  const frame = frameOf(at(0.2, 0.2, 0.4), SIZE);
  expect(handleAt(frame, { x: 61, y: 61 }, 3, 10)).toEqual({ part: "corner", corner: 2 });
  expect(handleAt(frame, { x: 40, y: 11 }, 3, 10)).toEqual({ part: "roll" });
  expect(handleAt(frame, { x: 45, y: 45 }, 3, 10)).toEqual({ part: "inside" });
  expect(handleAt(frame, { x: 90, y: 20 }, 3, 10)).toBeUndefined();
});

test("the middle of a tiny box moves it, although its corners are near", () => {
  expect(handleAt(frameOf(at(0.5, 0.5, 0.04), SIZE), { x: 52, y: 52 }, 10, 10)).toEqual({ part: "inside" });
});

test("dragging moves a box, but not out of the photo", () => {
  const inside = { part: "inside" } as const;
  const moved = dragged(at(0.2, 0.2), inside, { x: 30, y: 30 }, { x: 40, y: 35 }, SIZE);
  expect(numbers(moved)).toEqual([0.3, 0.25, 0.2, 0.2, 0]);
  const stopped = dragged(at(0.2, 0.2), inside, { x: 30, y: 30 }, { x: 300, y: -300 }, SIZE);
  expect(numbers(stopped)).toEqual([0.8, 0, 0.2, 0.2, 0]);
});

test("of a turned box, the middle stays in the photo, and its length stays as it is", () => {
  const inside = { part: "inside" } as const;
  const line = { left: -0.8, top: 0.48, width: 2.6, height: 0.04, roll: 90, turned: true };
  const tall = { width: 100, height: 500 };
  expect(numbers(dragged(line, inside, { x: 50, y: 250 }, { x: 40, y: 300 }, tall))).toEqual([
    -0.9, 0.58, 2.6, 0.04, 90,
  ]);
  expect(numbers(dragged(line, inside, { x: 50, y: 250 }, { x: -90, y: 900 }, tall))).toEqual([
    -1.3, 0.98, 2.6, 0.04, 90,
  ]);
});

test("dragging a corner leaves the opposite one where it is, also of a turned box", () => {
  const corner = { part: "corner", corner: 2 } as const;
  const grown = dragged(at(0.2, 0.2), corner, { x: 40, y: 40 }, { x: 60, y: 50 }, SIZE);
  expect(numbers(grown)).toEqual([0.2, 0.2, 0.4, 0.3, 0]);
  const turned = dragged({ ...at(0.2, 0.2), roll: 90 }, corner, { x: 20, y: 40 }, { x: 10, y: 60 }, SIZE);
  // Turned by a right angle, the upper left corner is at the upper right of the picture: (40, 20).
  expect(numbers(turned)).toEqual([0.05, 0.25, 0.4, 0.3, 90]);
});

test("dragging the handle above a box turns it", () => {
  const turned = dragged(at(0.4, 0.4), { part: "roll" }, { x: 50, y: 30 }, { x: 70, y: 50 }, SIZE);
  expect(numbers(turned)).toEqual([0.4, 0.4, 0.2, 0.2, 90]);
});

test("a box is drawn between two points in any order, and is never empty", () => {
  expect(numbers(drawn({ x: 60, y: 50 }, { x: 20, y: 10 }, SIZE))).toEqual([0.2, 0.1, 0.4, 0.4, 0]);
  expect(numbers(drawn({ x: 60, y: 50 }, { x: 60, y: 50 }, SIZE))).toEqual([0.58, 0.48, 0.04, 0.04, 0]);
});

test("keys move, resize and turn a box", () => {
  expect(numbers(movedBy(at(0.2, 0.2), 1, -2, SIZE))).toEqual([0.21, 0.18, 0.2, 0.2, 0]);
  expect(numbers(grownBy(at(0.2, 0.2), 1, 0, SIZE))).toEqual([0.19, 0.2, 0.22, 0.2, 0]);
  expect(numbers(grownBy(at(0.2, 0.2), -50, 0, SIZE))[2]).toBe(0.04);
  expect(rolledBy({ ...at(0.2, 0.2), roll: 178 }, 5, SIZE).roll).toBe(-177);
});

test("arrow keys go to the nearest region in their direction", () => {
  const regions = [region("a", at(0, 0)), region("b", at(0.4, 0.02)), region("c", at(0.8, 0)), region("d", at(0, 0.5))];
  expect(nextRegion(regions, undefined, 1, 0, SIZE)?.key).toBe("a");
  expect(nextRegion(regions, regions[0], 1, 0, SIZE)?.key).toBe("b");
  expect(nextRegion(regions, regions[0], 0, 1, SIZE)?.key).toBe("d");
  expect(nextRegion(regions, regions[2], -1, 0, SIZE)?.key).toBe("b");
  expect(nextRegion(regions, regions[2], 1, 0, SIZE)).toBeUndefined();
});
