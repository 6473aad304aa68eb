import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { texts } from "../../texts";
import { DEFAULTS, type Choices } from "../../jobs/choices";
import { OptionsPanel } from "./options-panel";

function showPanel(choices: Partial<Choices> = {}) {
  const onChange = vi.fn();
  render(<OptionsPanel choices={{ ...DEFAULTS, ...choices }} onChange={onChange} />);
  return onChange;
}

test("every choice reports the new choices", async () => {
  const onChange = showPanel();
  const user = userEvent.setup();
  await user.click(screen.getByRole("radio", { name: texts.options.style.pixelate }));
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, style: "pixelate" });
  fireEvent.change(screen.getByRole("slider", { name: texts.options.padding.label }), { target: { value: "0.5" } });
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, padding: 0.5 });
  fireEvent.change(screen.getByRole("slider", { name: texts.options.strength.label }), { target: { value: "3" } });
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, strength: 3 });
  fireEvent.change(screen.getByRole("slider", { name: texts.options.confidence.label }), { target: { value: "20" } });
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, min_confidence: 20 });
  const shape = screen.getByRole("combobox", { name: texts.options.shape.label });
  expect([...shape.children].map(({ textContent }) => textContent)).toEqual(["Oval", "Rounded", "Rectangle"]);
  await user.selectOptions(shape, "rounded");
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, shape: "rounded" });
  await user.selectOptions(shape, "box");
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, shape: "box" });
  await user.selectOptions(screen.getByRole("combobox", { name: texts.options.output.label }), "webp");
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, output: "webp" });
  await user.click(screen.getByRole("checkbox", { name: texts.options.nothingFound.label }));
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, on_nothing_found: "fail" });
  await user.click(screen.getByRole("checkbox", { name: texts.options.truncated.label }));
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, on_truncated: "complete" });
  fireEvent.change(screen.getByRole("slider", { name: texts.options.keep.label }), { target: { value: "4" } });
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, keep_original: 4 });
  await user.selectOptions(screen.getByRole("combobox", { name: texts.options.review.label }), "when_unsure");
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, review: "when_unsure" });
  await user.click(screen.getByRole("checkbox", { name: texts.options.reduce.label }));
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, reduce: true });
});

test("each kind is hidden on its own, and one of them always", async () => {
  const onChange = showPanel();
  const checkbox = (kind: "face" | "plate" | "text") =>
    screen.getByRole<HTMLInputElement>("checkbox", { name: texts.options.kinds[kind] });
  expect([checkbox("face").checked, checkbox("face").disabled, checkbox("plate").checked]).toEqual([true, true, false]);
  await userEvent.click(checkbox("plate"));
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, kinds: ["face", "plate"] });
});

test("a kind that is not the last one can be left out", async () => {
  const onChange = showPanel({ kinds: ["face", "text"] });
  await userEvent.click(screen.getByRole("checkbox", { name: texts.options.kinds.face }));
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, kinds: ["text"] });
});

test("each kind of metadata is kept on its own", async () => {
  const onChange = showPanel({ keep_metadata: ["time", "credit"] });
  const checkbox = (kind: "time" | "position" | "credit") =>
    screen.getByRole<HTMLInputElement>("checkbox", { name: texts.options.metadata[kind], hidden: true });
  expect(checkbox("credit").checked).toBe(true);
  expect(checkbox("position").checked).toBe(false);
  const user = userEvent.setup();
  await user.click(screen.getByText(texts.options.more));
  await user.click(checkbox("position"));
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, keep_metadata: ["time", "position", "credit"] });
  await user.click(checkbox("time"));
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, keep_metadata: ["credit"] });
});

test("only the solid style has a colour, and only the other styles have a strength", () => {
  showPanel();
  expect(screen.queryByLabelText(texts.options.colour.label)).toBeNull();
  showPanel({ style: "solid" });
  expect(screen.queryAllByLabelText(texts.options.strength.label)).toHaveLength(1);
});

test("the colour can be chosen", () => {
  const onChange = showPanel({ style: "solid" });
  fireEvent.change(screen.getByLabelText(texts.options.colour.label), { target: { value: "#12ab9f" } });
  expect(onChange).toHaveBeenLastCalledWith({ ...DEFAULTS, style: "solid", colour: "#12ab9f" });
});

test("every choice is explained", () => {
  showPanel({ style: "solid" });
  const explained = [...document.querySelectorAll<HTMLElement>("[aria-describedby]")];
  expect(explained).toHaveLength(13);
  explained.forEach((element) => {
    expect(document.getElementById(element.getAttribute("aria-describedby")!)?.textContent).toMatch(/\.$/);
  });
});

test("the choices can be reset to the defaults", async () => {
  const onChange = showPanel({ style: "solid", padding: 1 });
  await userEvent.click(screen.getByRole("button", { name: texts.options.reset }));
  expect(onChange).toHaveBeenLastCalledWith(DEFAULTS);
});
