import { useEffect, useEffectEvent, type Dispatch, type RefObject } from "react";
import type { Region } from "../../jobs/decision";
import { clamp, frameOf, type Point, type Size } from "../../lib/geometry";
import { announce } from "../../lib/announcer";
import { texts } from "../../texts";
import type { Action } from "./editing";
import { nameOf } from "./region-name";
import { commandOf, type Command } from "./keys";
import { drawn, grownBy, movedBy, nextRegion, rolledBy } from "./shapes";
import type { ViewControl } from "./use-view";
import { toPicture } from "./view";

/** How far a key press moves or grows a box, as a share of the picture's shorter side. */
const STEP = 0.01;

/** The side of a box that the keyboard draws, as a share of the shorter side of the visible part. */
const DRAWN = 0.2;

type Props = {
  stage: RefObject<HTMLElement | null>;
  regions: readonly Region[];
  selected: Region | undefined;
  picture: Size;
  control: ViewControl;
  dispatch: Dispatch<Action>;
};

/** Handles the editor's keys. Returns a function that draws a box, for a button. */
export function useKeys({ stage, regions, selected, picture, control, dispatch }: Props) {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    const command = commandOf(event);
    if (!command || !isMeant(command, event.target, stage.current)) return;
    event.preventDefault();
    obey(command);
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKeyDown(event);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);

  function obey(command: Command) {
    switch (command.does) {
      case "go":
        return go(command.across, command.down);
      case "draw":
        return drawInTheMiddle();
      case "zoomIn":
      case "zoomOut":
      case "whole":
      case "actualSize":
        return control[command.does]();
      case "undo":
      case "redo":
        return dispatch({ type: command.does });
      default:
        if (selected) change(command, selected);
    }
  }

  function change(command: Command, region: Region) {
    const step = STEP * Math.min(picture.width, picture.height);
    const place = (next: Region["place"]) => dispatch({ type: "place", key: region.key, place: next, repeats: true });
    switch (command.does) {
      case "toggle":
        dispatch({ type: "toggle", key: region.key });
        return say({ ...region, hidden: !region.hidden });
      case "remove":
        return dispatch({ type: "remove", key: region.key });
      case "move":
        return place(movedBy(region.place, command.across * step, command.down * step, picture));
      case "resize":
        return place(grownBy(region.place, (command.across * step) / 2, (-command.down * step) / 2, picture));
      case "roll":
        return place(rolledBy(region.place, command.degrees, picture));
    }
  }

  function go(across: number, down: number) {
    const region = nextRegion(regions, selected, across, down, picture);
    if (!region) return;
    dispatch({ type: "select", key: region.key });
    control.show(frameOf(region.place, picture));
    stage.current?.focus();
    say(region);
  }

  function drawInTheMiddle() {
    const { view, stage: room } = control;
    const middle: Point = toPicture(view, { x: room.width / 2, y: room.height / 2 });
    const half =
      (DRAWN / 2) * Math.min(picture.width, picture.height, room.width / view.scale, room.height / view.scale);
    const [x, y] = [clamp(middle.x, 0, picture.width), clamp(middle.y, 0, picture.height)];
    const place = drawn({ x: x - half, y: y - half }, { x: x + half, y: y + half }, picture);
    dispatch({ type: "draw", key: `drawn-${crypto.randomUUID()}`, place });
  }

  function say(region: Region) {
    const number = regions.findIndex(({ key }) => key === region.key) + 1;
    announce(texts.editor.state(nameOf(region, number), region.hidden));
  }

  return drawInTheMiddle;
}

/** Whether a key press is meant for the picture, and not for the control that has the focus. */
function isMeant(command: Command, target: EventTarget | null, stage: HTMLElement | null): boolean {
  if (command.does === "toggle") return target === stage;
  if (target instanceof HTMLSelectElement) return false;
  return !(target instanceof HTMLInputElement) || target.type === "checkbox";
}
