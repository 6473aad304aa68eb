import { useRef, useState, type Dispatch, type PointerEvent } from "react";
import type { Region } from "../../jobs/decision";
import type { Place, Point, Size } from "../../lib/geometry";
import type { Action } from "./editing";
import { dragged, drawn, regionAt, handleAt, shownFrame, type Handle } from "./shapes";
import type { ViewControl } from "./use-view";
import { toPicture } from "./view";

/** A pointer that moves less than this, in screen pixels, taps. */
const TAP = { mouse: 4, touch: 10 };

/** The distance in screen pixels at which a pointer reaches a handle or a tiny region. Fingers are wide. */
const REACH = { mouse: 10, touch: 22 };

/** The distance from a box to the handle that turns it, in screen pixels. */
export const ROLL_HANDLE = 28;

/** A box that a person is changing or drawing. */
export type Draft = { key: string; place: Place };

type Gesture =
  | { kind: "press"; from: Point; handle: Handle | undefined }
  | { kind: "shape"; from: Point; handle: Handle; region: Region }
  | { kind: "draw"; from: Point; key: string }
  | { kind: "pan" };

type Props = {
  regions: readonly Region[];
  selected: Region | undefined;
  picture: Size;
  control: ViewControl;
  /** Whether a drag moves the picture instead of drawing a box. */
  panning: boolean;
  dispatch: Dispatch<Action>;
};

/** The gestures of pointers on the stage: tap a region, drag a box or its handles, draw a box, move the picture, pinch. */
export function useGestures({ regions, selected, picture, control, panning, dispatch }: Props) {
  const [draft, setDraft] = useState<Draft>();
  const pointers = useRef(new Map<number, Point>());
  const gesture = useRef<Gesture>(undefined);
  const { view } = control;

  const pointOf = (event: PointerEvent): Point => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const precisionOf = (event: PointerEvent) => (event.pointerType === "touch" ? "touch" : "mouse");

  function onPointerDown(event: PointerEvent) {
    if (event.button === 2) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = pointOf(event);
    pointers.current.set(event.pointerId, at);
    setDraft(undefined);
    if (pointers.current.size > 1) {
      gesture.current = undefined; // two fingers zoom and move the picture
      return;
    }
    if (event.button === 1) {
      gesture.current = { kind: "pan" };
      return;
    }
    const handle =
      selected &&
      !panning &&
      handleAt(
        shownFrame(selected, picture),
        toPicture(view, at),
        REACH[precisionOf(event)] / view.scale,
        ROLL_HANDLE / view.scale,
      );
    gesture.current = { kind: "press", from: at, handle: handle || undefined };
  }

  function onPointerMove(event: PointerEvent) {
    const last = pointers.current.get(event.pointerId);
    if (!last) return;
    const at = pointOf(event);
    if (pointers.current.size === 2) pinch(event.pointerId, last, at);
    pointers.current.set(event.pointerId, at);
    const now = gesture.current;
    if (now?.kind === "press" && Math.hypot(at.x - now.from.x, at.y - now.from.y) > TAP[precisionOf(event)]) {
      gesture.current = dragOf(now);
    }
    continueDrag(last, at);
  }

  function dragOf({ from, handle }: Extract<Gesture, { kind: "press" }>): Gesture {
    if (panning) return { kind: "pan" };
    if (selected && handle) return { kind: "shape", from, handle, region: selected };
    return { kind: "draw", from, key: `drawn-${crypto.randomUUID()}` };
  }

  function continueDrag(last: Point, at: Point) {
    const now = gesture.current;
    if (now?.kind === "pan") control.pan(at.x - last.x, at.y - last.y);
    if (now?.kind === "draw") {
      setDraft({ key: now.key, place: drawn(toPicture(view, now.from), toPicture(view, at), picture) });
    }
    if (now?.kind === "shape") {
      const place = dragged(now.region.place, now.handle, toPicture(view, now.from), toPicture(view, at), picture);
      setDraft({ key: now.region.key, place });
    }
  }

  /** Zooms and moves so that the same part of the picture stays between two fingers. */
  function pinch(moving: number, last: Point, at: Point) {
    const other = [...pointers.current].find(([id]) => id !== moving)?.[1];
    if (!other) return;
    const before = Math.hypot(last.x - other.x, last.y - other.y);
    const after = Math.hypot(at.x - other.x, at.y - other.y);
    control.pan((at.x - last.x) / 2, (at.y - last.y) / 2);
    if (before > 0) control.zoomAt(after / before, { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
  }

  function onPointerUp(event: PointerEvent) {
    if (!pointers.current.delete(event.pointerId)) return;
    const now = gesture.current;
    gesture.current = undefined;
    setDraft(undefined);
    if (now?.kind === "press") {
      const reach = REACH[precisionOf(event)] / view.scale / 2;
      const region = regionAt(regions, toPicture(view, now.from), picture, reach);
      dispatch(region ? { type: "toggle", key: region.key } : { type: "select", key: undefined });
    }
    if (now?.kind === "draw" && draft) dispatch({ type: "draw", ...draft });
    if (now?.kind === "shape" && draft) dispatch({ type: "place", ...draft });
  }

  function onPointerCancel(event: PointerEvent) {
    pointers.current.delete(event.pointerId);
    gesture.current = undefined;
    setDraft(undefined);
  }

  return { draft, handlers: { onPointerDown, onPointerMove, onPointerUp, onPointerCancel } };
}
