import { expect, test } from "vitest";
import { BOX } from "../testing/server";
import { appearanceOf, DEFAULTS } from "./choices";
import { changesOf, decisionByPlace, facesOf, turned, type Face } from "./decision";

const SIZE = { width: 1000, height: 500 };
const STYLE = appearanceOf(DEFAULTS);
const SOLID = { ...STYLE, style: "solid" as const };
const PLACE = { left: 0.5, top: 0.5, width: 0.1, height: 0.2 };
const DRAWN: Face = { key: "drawn", place: { ...PLACE, roll: 15, turned: true }, hidden: true };

/** The faces of two boxes, the second of which was kept visible. */
const [hidden, kept] = facesOf([BOX, { ...BOX, id: 2, hidden: false }]) as [Face, Face];

test("what nobody changed is not in the decision", () => {
  expect(changesOf([hidden, kept], STYLE, SIZE)).toEqual({});
});

test("faces are shown and hidden by their ids", () => {
  const faces = [
    { ...hidden, hidden: false },
    { ...kept, hidden: true },
  ];
  expect(changesOf(faces, STYLE, SIZE)).toEqual({ keep: [{ id: 1 }], hide: [{ id: 2 }] });
});

test("a drawn box is sent with its place and roll, or is kept as the upright rectangle around it", () => {
  expect(changesOf([DRAWN], STYLE, SIZE)).toEqual({ hide: [{ ...PLACE, roll: 15 }] });
  const { keep } = changesOf([{ ...DRAWN, place: { ...DRAWN.place, roll: 90 }, hidden: false }], STYLE, SIZE);
  expect(keep).toEqual([{ left: 0.5, top: 0.5, width: 0.1, height: 0.2 }]);
});

test("a moved box keeps its id", () => {
  const moved = { ...hidden, place: { ...PLACE, roll: 0, turned: true } };
  expect(changesOf([moved], STYLE, SIZE)).toEqual({ hide: [{ id: 1, ...PLACE }] });
});

test("a face gets a style of its own, and gets the photo's style back", () => {
  expect(changesOf([{ ...hidden, appearance: SOLID }], STYLE, SIZE)).toEqual({ hide: [{ id: 1, ...SOLID }] });
  const [own] = facesOf([{ ...BOX, hidden_with: SOLID }]) as [Face];
  expect(changesOf([own], STYLE, SIZE)).toEqual({});
  expect(changesOf([{ ...own, appearance: undefined }], STYLE, SIZE)).toEqual({ hide: [{ id: 1, ...STYLE }] });
});

test("a new job gets every face by its place, and a detector's box without its roll", () => {
  const { left, top, width, height } = BOX;
  const rolled = { ...hidden, place: { ...hidden.place, roll: 30 } };
  expect(decisionByPlace([rolled, kept, DRAWN], SIZE)).toEqual({
    keep: [{ left, top, width, height }],
    hide: [
      { left, top, width, height },
      { ...PLACE, roll: 15 },
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
