import { expect, test } from "vitest";
import { appearanceOf, DEFAULTS } from "../../jobs/choices";
import { regionsOf } from "../../jobs/decision";
import { BOX } from "../../testing/server";
import { begin, edit, type Action, type Editing } from "./editing";

const STYLE = appearanceOf(DEFAULTS);
const PLACE = { left: 0.1, top: 0.1, width: 0.2, height: 0.2, roll: 0, turned: true };
const MOVED = { ...PLACE, left: 0.3 };
const three = () => begin({ regions: regionsOf([1, 2, 3].map((id) => ({ ...BOX, id }))), style: STYLE });

const after = (editing: Editing, ...actions: Action[]) => actions.reduce(edit, editing);
const hidden = ({ regions }: Editing) => regions.filter((region) => region.hidden).map(({ key }) => key);

test("a tap selects a region and shows or hides it", () => {
  const shown = after(three(), { type: "toggle", key: "known-2" });
  expect(hidden(shown)).toEqual(["known-1", "known-3"]);
  expect(shown.selected).toBe("known-2");
  expect(hidden(after(shown, { type: "toggle", key: "known-2" }))).toHaveLength(3);
});

test("all regions are hidden or shown, or all but one", () => {
  const none = after(three(), { type: "setAll", hidden: false });
  expect(hidden(none)).toEqual([]);
  expect(hidden(after(none, { type: "setAll", hidden: true }))).toHaveLength(3);
  expect(hidden(after(three(), { type: "hideOnly", key: "known-3" }))).toEqual(["known-3"]);
});

test("all regions of a kind are hidden or shown, and the others stay as they are", () => {
  const drawn = after(three(), { type: "drawAs", kind: "plate" }, { type: "draw", key: "drawn", place: PLACE });
  const faces = ["known-1", "known-2", "known-3"];
  expect(hidden(after(drawn, { type: "setAll", hidden: false, kind: "plate" }))).toEqual(faces);
  const none = after(drawn, { type: "setAll", hidden: false });
  expect(hidden(after(none, { type: "setAll", hidden: true, kind: "plate" }))).toEqual(["drawn"]);
});

test("a drawn box can be removed; a region that the server knows is then visible", () => {
  const drawn = after(three(), { type: "draw", key: "drawn", place: PLACE });
  expect(hidden(drawn)).toHaveLength(4);
  const removed = after(drawn, { type: "remove", key: "drawn" });
  expect(removed.regions).toHaveLength(3);
  expect(removed.selected).toBeUndefined();
  expect(hidden(after(removed, { type: "remove", key: "known-1" }))).toEqual(["known-2", "known-3"]);
});

test("changes are undone and redone, until something else is changed", () => {
  const changed = after(three(), { type: "toggle", key: "known-1" }, { type: "toggle", key: "known-2" });
  const undone = after(changed, { type: "undo" });
  expect(hidden(undone)).toEqual(["known-2", "known-3"]);
  expect(hidden(after(undone, { type: "redo" }))).toEqual(["known-3"]);
  const other = after(undone, { type: "toggle", key: "known-3" });
  expect(after(other, { type: "redo" })).toBe(other);
  const start = three();
  expect(after(start, { type: "undo" })).toBe(start);
});

test("repeated key presses on one box are undone together, and other changes are not", () => {
  const press: Action = { type: "place", key: "known-1", place: MOVED, repeats: true };
  const start = three();
  expect(after(start, press, press, press).past).toHaveLength(1);
  expect(after(start, press, { type: "select", key: "known-1" }, press).past).toHaveLength(2);
  const drag: Action = { type: "place", key: "known-1", place: MOVED };
  expect(after(start, drag, drag).past).toHaveLength(2);
});

test("undoing a drawn box also ends its selection", () => {
  const undone = after(three(), { type: "draw", key: "drawn", place: PLACE }, { type: "undo" });
  expect(undone.selected).toBeUndefined();
});

test("a region and the photo get other styles", () => {
  const solid = { ...STYLE, style: "solid" as const };
  const changed = after(
    three(),
    { type: "restyle", key: "known-1", appearance: solid },
    { type: "restylePhoto", style: { ...STYLE, strength: 3 } },
  );
  expect(changed.regions.map(({ appearance }) => appearance?.style)).toEqual(["solid", undefined, undefined]);
  expect(changed.style.strength).toBe(3);
  expect(after(changed, { type: "undo" }).style).toEqual(STYLE);
});
