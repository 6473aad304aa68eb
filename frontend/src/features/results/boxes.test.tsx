import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { BOX } from "../../testing/server";
import { texts } from "../../texts";
import { Boxes, BoxList } from "./boxes";
import type { Box } from "./receipt";

const FROM_CHECK: Box = { ...BOX, left: 0.5, found_in: "check", round: 2 };

const pathOf = (kind: Box["found_in"] | "visible") =>
  document.querySelector(`.is-${kind} .boxes-line`)!.getAttribute("d");
const items = () => screen.getAllByRole("listitem").map(({ textContent }) => textContent);

test("boxes are drawn over the faces, those found by checks in their own style", () => {
  render(<Boxes boxes={[BOX, FROM_CHECK]} ratio={1.5} />);
  expect(pathOf("first")).toBe("M0.1 0.2h0.3v0.4h-0.3z");
  expect(pathOf("check")).toBe("M0.5 0.2h0.3v0.4h-0.3z");
  const numbers = [...document.querySelectorAll<HTMLElement>(".boxes span")];
  expect(
    numbers.map(({ textContent, className, style }) => [textContent, className, style.left, style.bottom]),
  ).toEqual([
    ["1", "is-first", "10%", "80%"],
    ["2", "is-check", "50%", "80%"],
  ]);
});

test("the list tells which detector or check found each face", () => {
  render(<BoxList name="a.jpg" boxes={[BOX, FROM_CHECK]} />);
  expect(items()).toEqual(["99 % sure · own detector", "99 % sure · own detector · found by check 2"]);
  expect(screen.getByText(texts.boxes.legend)).toBeTruthy();
});

test("the list tells what is not a face", () => {
  const drawn: Box = { ...BOX, kind: "text", found_by: "person", found_in: "person" };
  render(<BoxList name="a.jpg" boxes={[{ ...BOX, kind: "plate" }, drawn]} />);
  expect(items()).toEqual(["Number plate · 99 % sure · own detector", "Text · chosen by a person"]);
});

test("the legend of dashed boxes is shown only if a check found a face", () => {
  render(<BoxList name="a.jpg" boxes={[BOX]} />);
  expect(screen.queryByText(texts.boxes.legend)).toBeNull();
});

test("thousands of boxes become two paths without numbers and a list of the first hundred", () => {
  const boxes = Array.from({ length: 20_000 }, (_, index) => (index % 2 ? FROM_CHECK : BOX));
  render(<Boxes boxes={boxes} ratio={1.5} />);
  expect(pathOf("first")!.split("M")).toHaveLength(10_001);
  expect(pathOf("check")!.split("M")).toHaveLength(10_001);
  expect(document.querySelectorAll(".boxes *").length).toBeLessThan(15);

  render(<BoxList name="a.jpg" boxes={boxes} />);
  expect(items()).toHaveLength(100);
  expect(screen.getByText(texts.boxes.more(19_900)).textContent).toContain("19,900 more boxes");
  expect(screen.getByRole("region", { name: texts.boxes.label("a.jpg") }).tabIndex).toBe(0);
});

test("a face that stays visible has its own line, and a place that a person chose is said to be chosen", () => {
  const visible: Box = { ...BOX, id: 2, hidden: false };
  const chosen: Box = { ...BOX, id: 3, found_by: "person", found_in: "person", turned: true, roll: 90 };
  render(<Boxes boxes={[BOX, visible, chosen]} ratio={2} />);
  expect(pathOf("visible")).toBe("M0.1 0.2h0.3v0.4h-0.3z");
  // Turned by a right angle about its middle: in a picture twice as wide as high, 0.3 × 0.4 becomes 0.2 × 0.6.
  const corners = [...pathOf("person")!.matchAll(/([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  const [left, right] = [Math.min, Math.max].map((most) => most(...corners.map(([x]) => x!)));
  const [top, bottom] = [Math.min, Math.max].map((most) => most(...corners.map(([, y]) => y!)));
  [left, top, right, bottom].forEach((edge, index) => expect(edge).toBeCloseTo([0.15, 0.1, 0.35, 0.7][index]!));

  render(<BoxList name="a.jpg" boxes={[BOX, visible, chosen]} />);
  expect(items()).toEqual([
    "99 % sure · own detector",
    "99 % sure · own detector · kept visible",
    "chosen by a person",
  ]);
  expect(screen.getByText(texts.boxes.visibleLegend)).toBeTruthy();
});

test("a complete list does not mention more boxes", () => {
  render(<BoxList name="a.jpg" boxes={Array<Box>(100).fill(BOX)} />);
  expect(items()).toHaveLength(100);
  expect(screen.queryByText(/more box/)).toBeNull();
});

test("without a face there is a sentence instead of a list", () => {
  render(<BoxList name="a.jpg" boxes={[]} />);
  expect(screen.getByText(texts.boxes.none)).toBeTruthy();
});
