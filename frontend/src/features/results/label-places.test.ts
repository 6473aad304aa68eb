import { expect, test } from "vitest";
import { labelPlaces } from "./label-places";

const box = (left: number, top: number, width = 0.2, height = 0.2) => ({ left, top, width, height });

test("a number stands above its box, or below a box at the upper edge", () => {
  expect(labelPlaces([box(0.1, 0.5), box(0.6, 0)])).toEqual([
    { left: 0.1, bottom: 0.5 },
    { left: 0.6, top: 0.2 },
  ]);
});

test("no number lies over another face", () => {
  const [first] = labelPlaces([box(0.1, 0.5), box(0, 0.4, 0.2, 0.1)]);
  expect(first!.left).toBeCloseTo(0.25);
  expect(first).toMatchObject({ bottom: 0.5 });
});

test("where there is no room, there is no number", () => {
  const crowd = Array.from({ length: 25 }, (_, index) => box((index % 5) * 0.2, Math.floor(index / 5) * 0.2));
  expect(labelPlaces(crowd)).toEqual(Array(25).fill(null));
});
