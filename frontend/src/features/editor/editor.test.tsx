import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Refused } from "../../api/failure";
import { appearanceOf, DEFAULTS } from "../../jobs/choices";
import { regionsOf } from "../../jobs/decision";
import type { Kind } from "../../jobs/job";
import { BOX, faces } from "../../testing/server";
import { texts } from "../../texts";
import { Editor } from "./editor";
import { begin, type Edited } from "./editing";

const STYLE = appearanceOf(DEFAULTS);
const words = texts.editor;

/** The editor on a photo of 800 by 600 pixels with regions in its four corners. */
function showEditor({ canFinishAtOnce = true, regions = 4, kinds = [] as Kind[] } = {}) {
  const onFinish = vi.fn<(edited: Edited) => Promise<void>>(() => Promise.resolve());
  const onApplyToAll = vi.fn(() => Promise.resolve(words.applied(2)));
  const boxes = [0, 1, 2, 3].map((index) => ({
    ...BOX,
    id: index + 1,
    kind: kinds[index] ?? "face",
    ...{ left: index % 2 ? 0.7 : 0.1, top: index < 2 ? 0.1 : 0.7, width: 0.2, height: 0.2 },
  }));
  render(
    <Editor
      name="street.jpg"
      url="blob:photo"
      photo={{
        source: { picture: document.createElement("canvas"), size: { width: 8, height: 6 } },
        width: 800,
        height: 600,
      }}
      start={begin({ regions: regionsOf(boxes.slice(0, regions)), style: STYLE })}
      canFinishAtOnce={canFinishAtOnce}
      onEdit={() => undefined}
      onFinish={onFinish}
      onApplyToAll={onApplyToAll}
    />,
  );
  return { onFinish, onApplyToAll, user: userEvent.setup() };
}

const stage = () => screen.getByRole("group", { name: words.stage("street.jpg") });
const button = (name: string) => screen.getByRole("button", { name });
const counts = () => screen.getAllByRole("status")[0]?.textContent;

/** Presses, moves and releases a pointer. The stage is as large as the photo, at the window's upper left corner. */
function drag(from: [number, number], to: [number, number] = from) {
  HTMLElement.prototype.setPointerCapture = () => undefined;
  const fire = (type: string, [clientX, clientY]: [number, number]) => {
    const event = new MouseEvent(type, { bubbles: true, clientX, clientY, button: 0 });
    fireEvent(stage(), Object.assign(event, { pointerId: 1, pointerType: "mouse" }));
  };
  fire("pointerdown", from);
  if (to !== from) fire("pointermove", to);
  fire("pointerup", to);
}

test("one of the regions is hidden with two clicks, and sent with a third", async () => {
  const { onFinish, user } = showEditor();
  expect(counts()).toBe(words.count(faces(4), faces(0)));
  expect(document.activeElement).toBe(stage());
  drag([640, 120]); // region 2
  expect(counts()).toBe(words.count(faces(3), faces(1)));
  await user.click(button(words.showAllBut));
  expect(counts()).toBe(words.count(faces(1), faces(3)));
  await user.click(button(words.finish));
  const [edited] = onFinish.mock.calls[0]!;
  expect(edited.regions.map(({ hidden }) => hidden)).toEqual([false, true, false, false]);
});

test("a drag draws a box, which can be moved and deleted", async () => {
  const { user } = showEditor();
  drag([300, 250], [400, 350]);
  expect(counts()).toBe(words.count(faces(5), faces(0)));
  await user.click(button(words.remove));
  expect(counts()).toBe(words.count(faces(4), faces(0)));
  await user.click(button(words.undo));
  expect(counts()).toBe(words.count(faces(5), faces(0)));
  drag([350, 300]);
  expect(counts()).toBe(words.count(faces(4), faces(1)));
  drag([350, 300], [650, 550]);
  expect(screen.getByText(words.state(words.name("face", true, 5, "lower", "right"), false))).toBeTruthy();
});

test("with the hand, a drag moves the picture and draws nothing", async () => {
  const { user } = showEditor();
  await user.click(button(words.pan));
  drag([300, 250], [400, 350]);
  expect(counts()).toBe(words.count(faces(4), faces(0)));
});

test("the keyboard goes to a region, hides it, moves it, and undoes that", async () => {
  const { onFinish, user } = showEditor();
  await user.keyboard("{ArrowRight}{ArrowRight}{ArrowDown} ");
  expect(counts()).toBe(words.count(faces(3), faces(1)));
  expect(screen.getByText(words.state(words.name("face", false, 4, "lower", "right"), false))).toBeTruthy();
  await user.keyboard(" {Shift>}{ArrowLeft}{ArrowLeft}{/Shift}r{Control>}z{/Control}");
  expect(counts()).toBe(words.count(faces(4), faces(0)));
  await user.keyboard("n");
  expect(counts()).toBe(words.count(faces(5), faces(0)));
  await user.keyboard("{Delete}");
  expect(counts()).toBe(words.count(faces(4), faces(0)));
  await user.keyboard("{Control>}z{/Control}{ArrowLeft}{Shift>}{ArrowUp}{/Shift}");
  await user.click(button(words.finish));
  expect(onFinish.mock.calls[0]![0].regions).toHaveLength(5);
});

test("keys that a control needs itself do not change the photo", async () => {
  const { user } = showEditor();
  await user.keyboard("{ArrowRight}");
  await user.click(screen.getByText(words.ownStyle));
  await user.click(screen.getByText(words.ownStyle));
  await user.click(screen.getByText(words.ownStyle));
  const style = screen.getAllByRole("combobox", { name: texts.options.style.label })[0]!;
  style.focus();
  await user.keyboard("n{ArrowRight}{Delete}");
  expect(counts()).toBe(words.count(faces(4), faces(0)));
});

test("every region has a checkbox, and going to it selects it", async () => {
  const { user } = showEditor();
  const box = screen.getByRole("checkbox", { name: words.hide(words.name("face", false, 3, "lower", "left")) });
  act(() => box.focus());
  expect(screen.getByText(words.state(words.name("face", false, 3, "lower", "left"), true))).toBeTruthy();
  await user.keyboard(" ");
  expect(box).toHaveProperty("checked", false);
  expect(counts()).toBe(words.count(faces(3), faces(1)));
});

test("a region and the photo get styles, and the photo's style is applied to all photos", async () => {
  const { onFinish, onApplyToAll, user } = showEditor();
  drag([120, 120]);
  drag([120, 120]);
  await user.click(screen.getByText(words.ownStyle));
  const [own, whole] = screen.getAllByRole("combobox", { name: texts.options.style.label });
  await user.selectOptions(own!, "solid");
  await user.click(screen.getByText(words.photoStyle));
  await user.selectOptions(whole!, "pixelate");
  await user.click(button(words.applyToAll));
  expect(onApplyToAll).toHaveBeenCalledWith({ ...STYLE, style: "pixelate" });
  expect(await screen.findByText(words.applied(2))).toBeTruthy();
  await user.click(button(words.finish));
  const [edited] = onFinish.mock.calls[0]!;
  expect(edited.style.style).toBe("pixelate");
  expect(edited.regions[0]?.appearance).toEqual({ ...STYLE, style: "solid" });
});

test("a finished photo is only sent again if something was changed", async () => {
  const { user } = showEditor({ canFinishAtOnce: false });
  expect(button(words.finish)).toHaveProperty("disabled", true);
  await user.click(button(words.showAll));
  expect(button(words.finishNone)).toHaveProperty("disabled", false);
});

test("a refusal is shown, and the decision can be sent again", async () => {
  const { onFinish, user } = showEditor();
  onFinish.mockRejectedValueOnce(new Refused("THROTTLED", "Too many requests."));
  await user.click(button(words.finish));
  expect(await screen.findByText("Too many requests.")).toBeTruthy();
  await user.click(button(words.finish));
  await waitFor(() => expect(onFinish).toHaveBeenCalledTimes(2));
});

test("a photo without a region says how to draw a box", () => {
  showEditor({ regions: 0 });
  expect(screen.getByText(words.nothingFound)).toBeTruthy();
  expect(counts()).toBe(words.count(faces(0), faces(0)));
});

test("plates and texts are labelled, counted and listed by their kinds", async () => {
  const { user } = showEditor({ kinds: ["face", "plate", "plate", "text"] });
  expect(counts()).toBe("1 face, 2 number plates, and 1 text hidden, nothing visible");
  expect([...document.querySelectorAll(".editor-kinds span")].map(({ textContent }) => textContent)).toEqual([
    texts.kinds.plate,
    texts.kinds.plate,
    texts.kinds.text,
  ]);
  await user.selectOptions(screen.getByRole("combobox", { name: words.listed }), words.ofKind("plate", 2));
  expect(screen.getAllByRole("checkbox").map((box) => box.parentElement?.textContent?.trim())).toEqual([
    words.hide(words.name("plate", false, 2, "upper", "right")),
    words.hide(words.name("plate", false, 3, "lower", "left")),
  ]);
});

test("all boxes of the listed kind are hidden or shown at once", async () => {
  const { user } = showEditor({ kinds: ["face", "plate", "plate", "text"] });
  expect(screen.queryByRole("button", { name: words.showKind("plate") })).toBeNull();
  await user.selectOptions(screen.getByRole("combobox", { name: words.listed }), words.ofKind("plate", 2));
  await user.click(button(words.showKind("plate")));
  expect(counts()).toBe("1 face and 1 text hidden, 2 number plates visible");
  await user.click(button(words.showAll));
  await user.click(button(words.hideKind("plate")));
  expect(counts()).toBe("2 number plates hidden, 1 face and 1 text visible");
});

test("a box is drawn as the chosen kind, which can be changed afterwards", async () => {
  const { onFinish, user } = showEditor({ regions: 0 });
  await user.selectOptions(screen.getByRole("combobox", { name: words.drawAs }), texts.kinds.plate);
  drag([300, 250], [400, 350]);
  expect(screen.getByText(words.state(words.name("plate", true, 1, "middle", "centre"), true))).toBeTruthy();
  await user.selectOptions(screen.getByRole("combobox", { name: words.kind }), texts.kinds.text);
  drag([500, 250], [600, 350]);
  await user.click(button(words.finish));
  expect(onFinish.mock.calls[0]![0].regions.map(({ kind }) => kind)).toEqual(["text", "text"]);
});
