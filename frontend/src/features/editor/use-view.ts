import { useCallback, useEffect, useState, type RefObject } from "react";
import type { Point, Size } from "../../lib/geometry";
import { fit, panBy, reveal, settle, zoomTo, type View } from "./view";

/** The zoom factors of the wheel, of two fingers on a touch pad, and of a button or key. */
const WHEEL_ZOOM = 0.002;
const PAD_ZOOM = 0.01;
const STEP_ZOOM = 1.4;

/** The view of a picture in a stage: the whole picture until somebody zooms. */
export function useView(picture: Size, element: RefObject<HTMLElement | null>) {
  const [stage, setStage] = useState<Size>({ width: 0, height: 0 });
  const [chosen, setChosen] = useState<View>();
  const view = chosen ? settle(chosen, picture, stage) : fit(picture, stage);

  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setStage({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);

  const change = useCallback(
    (next: (view: View) => View) => setChosen((now) => next(now ?? fit(picture, stage))),
    [picture, stage],
  );
  const zoomAt = useCallback(
    (factor: number, at: Point) => change((now) => zoomTo(now, now.scale * factor, at, picture, stage)),
    [change, picture, stage],
  );
  const pan = useCallback(
    (across: number, down: number) => change((now) => panBy(now, across, down, picture, stage)),
    [change, picture, stage],
  );
  const show = useCallback(
    (point: Point) => setChosen((now) => now && reveal(now, point, picture, stage)),
    [picture, stage],
  );

  // React's own wheel listener is passive: it cannot stop the browser's scrolling and zooming.
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top } = target.getBoundingClientRect();
      // Browsers report two fingers that move apart on a touch pad as a wheel with Ctrl, in small steps.
      const speed = event.ctrlKey ? PAD_ZOOM : WHEEL_ZOOM;
      zoomAt(Math.exp(-event.deltaY * speed), { x: event.clientX - left, y: event.clientY - top });
    };
    target.addEventListener("wheel", onWheel, { passive: false });
    return () => target.removeEventListener("wheel", onWheel);
  }, [element, zoomAt]);

  const middle = { x: stage.width / 2, y: stage.height / 2 };
  return {
    view,
    stage,
    zoomAt,
    pan,
    /** Moves the picture so that this point of it is visible. */
    show,
    zoomIn: () => zoomAt(STEP_ZOOM, middle),
    zoomOut: () => zoomAt(1 / STEP_ZOOM, middle),
    /** Zooms so that one pixel of the picture is one pixel of the screen. */
    actualSize: () => change((now) => zoomTo(now, 1, middle, picture, stage)),
    whole: () => setChosen(undefined),
  };
}

export type ViewControl = ReturnType<typeof useView>;
