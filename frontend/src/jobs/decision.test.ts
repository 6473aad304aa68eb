import { expect, test } from "vitest";
import { BOX } from "../testing/server";
import { appearanceOf, DEFAULTS } from "./choices";
import { changesOf, decisionByPlace, regionsOf, turned, type Region } from "./decision";

const SIZE = { width: 1000, height: 500 };
const STYLE = appearanceOf(DEFAULTS);
const SOLID = { ...STYLE, style: "solid" as const };
const PLACE = { left: 0.5, top: 0.5, width: 0.1, height: 0.2 };
const DRAWN: Region = { key: "drawn", kind: "face", place: { ...PLACE, roll: 15, turned: true }, hidden: true };

/** The regions of two boxes, the second of which was kept visible. */
const [hidden, kept] = regionsOf([BOX, { ...BOX, id: 2, hidden: false }]) as [Region, Region];

test("what nobody changed is not in the decision", () => {
  expect(changesOf([hidden, kept], STYLE)).toEqual({});
});

test("regions are shown and hidden by their ids", () => {
  const regions = [
    { ...hidden, hidden: false },
    { ...kept, hidden: true },
  ];
  expect(changesOf(regions, STYLE)).toEqual({ keep: [{ id: 1 }], hide: [{ id: 2 }] });
});

test("a drawn box is sent with its place and roll, whether it is hidden or kept", () => {
  expect(changesOf([DRAWN], STYLE)).toEqual({ hide: [{ ...PLACE, kind: "face", roll: 15 }] });
  expect(changesOf([{ ...DRAWN, hidden: false }], STYLE)).toEqual({ keep: [{ ...PLACE, kind: "face", roll: 15 }] });
});

test("a sideways line of a tall photo is kept as it lies", () => {
  const line = { left: -0.85624, top: 0.48, width: 2.61612, height: 0.02, roll: -90, turned: true };
  const [kept] = regionsOf([{ ...BOX, ...line, kind: "text", hidden: false }]) as [Region];
  const { turned, ...sent } = line;
  expect(decisionByPlace([kept])).toEqual({ keep: [{ ...sent, kind: "text" }] });
});

test("a drawn box is sent with its kind, which a known one has already", () => {
  const plate = { ...DRAWN, kind: "plate" as const };
  expect(changesOf([plate], STYLE)).toEqual({ hide: [{ ...PLACE, kind: "plate", roll: 15 }] });
  const [known] = regionsOf([{ ...BOX, kind: "text", hidden: false }]) as [Region];
  expect(changesOf([{ ...known, hidden: true }], STYLE)).toEqual({ hide: [{ id: 1 }] });
  expect(decisionByPlace([{ ...known, hidden: true }]).hide).toMatchObject([{ kind: "text" }]);
  expect(decisionByPlace([{ ...known, hidden: false }]).keep).toMatchObject([{ kind: "text" }]);
});

test("a moved box keeps its id", () => {
  const moved = { ...hidden, place: { ...PLACE, roll: 0, turned: true } };
  expect(changesOf([moved], STYLE)).toEqual({ hide: [{ id: 1, ...PLACE }] });
});

test("a region gets a style of its own, and gets the photo's style back", () => {
  expect(changesOf([{ ...hidden, appearance: SOLID }], STYLE)).toEqual({ hide: [{ id: 1, ...SOLID }] });
  const [own] = regionsOf([{ ...BOX, hidden_with: SOLID }]) as [Region];
  expect(changesOf([own], STYLE)).toEqual({});
  expect(changesOf([{ ...own, appearance: undefined }], STYLE)).toEqual({ hide: [{ id: 1, ...STYLE }] });
});

test("a new job gets every region by its place, and a detector's box without its roll", () => {
  const { left, top, width, height } = BOX;
  const rolled = { ...hidden, place: { ...hidden.place, roll: 30 } };
  expect(decisionByPlace([rolled, kept, DRAWN])).toEqual({
    keep: [{ left, top, width, height, kind: "face" }],
    hide: [
      { left, top, width, height, kind: "face" },
      { ...PLACE, kind: "face", roll: 15 },
    ],
  });
});

test("a detector's box is turned like its head when a person takes hold of it", () => {
  const place = { left: 0.4, top: 0.4, width: 0.1, height: 0.25, roll: 20, turned: false };
  const head = turned(place, SIZE);
  expect(head).toMatchObject({ roll: 20, turned: true });
  expect(head.width).toBeLessThan(place.width);
  expect(turned(head, SIZE)).toBe(head);
});

test("at the photo's edge, where the turned box would leave the photo, the upright one is taken", () => {
  const place = { left: 0.3, top: 0, width: 0.2, height: 0.3, roll: 90, turned: false };
  expect(turned(place, SIZE)).toEqual({ ...place, roll: 0, turned: true });
});
