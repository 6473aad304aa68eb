import { expect, test } from "vitest";
import { commandOf } from "./keys";

const press = (key: string, modifiers: Partial<Parameters<typeof commandOf>[0]> = {}) =>
  commandOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...modifiers });

test("arrow keys go to a region, and with a modifier move or resize its box", () => {
  expect(press("ArrowLeft")).toEqual({ does: "go", across: -1, down: 0 });
  expect(press("ArrowDown", { shiftKey: true })).toEqual({ does: "move", across: 0, down: 1 });
  expect(press("ArrowUp", { altKey: true })).toEqual({ does: "resize", across: 0, down: -1 });
});

test.each([
  [" ", "toggle"],
  ["Delete", "remove"],
  ["Backspace", "remove"],
  ["n", "draw"],
  ["+", "zoomIn"],
  ["=", "zoomIn"],
  ["-", "zoomOut"],
  ["0", "whole"],
  ["1", "actualSize"],
])("the key “%s” does %s", (key, does) => expect(press(key)).toEqual({ does }));

test("R turns a box, and with Shift the other way", () => {
  expect(press("r")).toEqual({ does: "roll", degrees: 5 });
  expect(press("R", { shiftKey: true })).toEqual({ does: "roll", degrees: -5 });
});

test("changes are undone and redone with the usual keys of every system", () => {
  expect(press("z", { ctrlKey: true })).toEqual({ does: "undo" });
  expect(press("z", { metaKey: true })).toEqual({ does: "undo" });
  expect(press("Z", { ctrlKey: true, shiftKey: true })).toEqual({ does: "redo" });
  expect(press("y", { ctrlKey: true })).toEqual({ does: "redo" });
});

test("other keys, and those of the browser, are left alone", () => {
  expect([press("Tab"), press("Escape"), press("n", { ctrlKey: true }), press("n", { altKey: true })]).toEqual(
    Array(4).fill(undefined),
  );
});
