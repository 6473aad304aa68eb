import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { BOX } from "../../testing/server";
import { texts } from "../../texts";
import { Boxes, BoxList } from "./boxes";
import type { Box } from "./receipt";

const FROM_CHECK: Box = { ...BOX, left: 0.5, found_in: "check", round: 2 };

const pathOf = (pass: Box["found_in"]) => document.querySelector(`.is-${pass} .boxes-line`)!.getAttribute("d");
const items = () => screen.getAllByRole("listitem").map(({ textContent }) => textContent);

test("boxes are drawn over the faces, those found by checks in their own style", () => {
  render(<Boxes boxes={[BOX, FROM_CHECK]} />);
  expect(pathOf("first")).toBe("M0.1 0.2h0.3v0.4h-0.3z");
  expect(pathOf("check")).toBe("M0.5 0.2h0.3v0.4h-0.3z");
  const numbers = [...document.querySelectorAll<HTMLElement>(".boxes span")];
  expect(numbers.map(({ textContent, className, style }) => [textContent, className, style.left, style.top])).toEqual([
    ["1", "is-first", "10%", "20%"],
    ["2", "is-check", "50%", "20%"],
  ]);
});

test("the list tells which detector or check found each face", () => {
  render(<BoxList boxes={[BOX, FROM_CHECK]} />);
  expect(items()).toEqual(["99 % sure · own detector", "99 % sure · own detector · found by check 2"]);
  expect(screen.getByText(texts.boxes.legend)).toBeTruthy();
});

test("the legend of dashed boxes is shown only if a check found a face", () => {
  render(<BoxList boxes={[BOX]} />);
  expect(screen.queryByText(texts.boxes.legend)).toBeNull();
});

test("thousands of boxes become two paths without numbers and a list of the first hundred", () => {
  const boxes = Array.from({ length: 20_000 }, (_, index) => (index % 2 ? FROM_CHECK : BOX));
  render(<Boxes boxes={boxes} />);
  expect(pathOf("first")!.split("M")).toHaveLength(10_001);
  expect(pathOf("check")!.split("M")).toHaveLength(10_001);
  expect(document.querySelectorAll(".boxes *").length).toBeLessThan(10);

  render(<BoxList boxes={boxes} />);
  expect(items()).toHaveLength(100);
  expect(screen.getByText(texts.boxes.more(19_900)).textContent).toContain("19,900 more boxes");
  expect(screen.getByRole("region", { name: texts.boxes.label }).tabIndex).toBe(0);
});

test("a complete list does not mention more boxes", () => {
  render(<BoxList boxes={Array<Box>(100).fill(BOX)} />);
  expect(items()).toHaveLength(100);
  expect(screen.queryByText(/more box/)).toBeNull();
});

test("without a face there is a sentence instead of a list", () => {
  render(<BoxList boxes={[]} />);
  expect(screen.getByText(texts.boxes.none)).toBeTruthy();
});
