import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { BOX } from "../../testing/server";
import { texts } from "../../texts";
import { Boxes, BoxList } from "./boxes";
import type { Box } from "./receipt";

const CHECKED: Box = { ...BOX, left: 0.5, found_in: "check", round: 2 };

const pathOf = (pass: Box["found_in"]) => document.querySelector(`.is-${pass} .boxes-line`)!.getAttribute("d");
const items = () => screen.getAllByRole("listitem").map(({ textContent }) => textContent);

test("boxes are drawn where the faces are, those of the checks apart", () => {
  render(<Boxes boxes={[BOX, CHECKED]} />);
  expect(pathOf("first")).toBe("M0.1 0.2h0.3v0.4h-0.3z");
  expect(pathOf("check")).toBe("M0.5 0.2h0.3v0.4h-0.3z");
  const numbers = [...document.querySelectorAll<HTMLElement>(".boxes span")];
  expect(numbers.map(({ textContent, className, style }) => [textContent, className, style.left, style.top])).toEqual([
    ["1", "is-first", "10%", "20%"],
    ["2", "is-check", "50%", "20%"],
  ]);
});

test("the list says what found each face", () => {
  render(<BoxList boxes={[BOX, CHECKED]} />);
  expect(items()).toEqual(["99 % sure · own detector", "99 % sure · own detector · found by check 2"]);
  expect(screen.getByText(texts.boxes.legend)).toBeTruthy();
});

test("without a find of a check, nothing is said of dashed boxes", () => {
  render(<BoxList boxes={[BOX]} />);
  expect(screen.queryByText(texts.boxes.legend)).toBeNull();
});

test("thousands of boxes are two shapes without numbers, and a list of the first hundred", () => {
  const boxes = Array.from({ length: 20_000 }, (_, index) => (index % 2 ? CHECKED : BOX));
  render(<Boxes boxes={boxes} />);
  expect(pathOf("first")!.split("M")).toHaveLength(10_001);
  expect(pathOf("check")!.split("M")).toHaveLength(10_001);
  expect(document.querySelectorAll(".boxes *").length).toBeLessThan(10);

  render(<BoxList boxes={boxes} />);
  expect(items()).toHaveLength(100);
  expect(screen.getByText(texts.boxes.more(19_900)).textContent).toContain("19,900 more boxes");
  expect(screen.getByRole("region", { name: texts.boxes.label }).tabIndex).toBe(0);
});

test("a list of all faces says nothing of more", () => {
  render(<BoxList boxes={Array<Box>(100).fill(BOX)} />);
  expect(items()).toHaveLength(100);
  expect(screen.queryByText(/more box/)).toBeNull();
});

test("without a face there is no list", () => {
  render(<BoxList boxes={[]} />);
  expect(screen.getByText(texts.boxes.none)).toBeTruthy();
});
