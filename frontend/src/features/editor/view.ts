import { clamp, type Point, type Size } from "../../lib/geometry";

/** The position of the picture in the stage: screen pixels per pixel of the picture, and its upper left corner. */
export type View = { scale: number; x: number; y: number };

/** The largest zoom: this many screen pixels per pixel of the picture, or this many times the fitting size. */
const MAX_SCALE = 8;

const fittingScale = (picture: Size, stage: Size) =>
  Math.min(stage.width / picture.width, stage.height / picture.height) || 1;

/** The whole picture in the middle of the stage. */
export const fit = (picture: Size, stage: Size): View => settle({ scale: 0, x: 0, y: 0 }, picture, stage);

/** Zooms so that this point of the stage keeps showing the same point of the picture. */
export function zoomTo(view: View, scale: number, at: Point, picture: Size, stage: Size): View {
  const smallest = fittingScale(picture, stage);
  const next = clamp(scale, smallest, MAX_SCALE * Math.max(1, smallest));
  const growth = next / view.scale;
  return settle(
    { scale: next, x: at.x - (at.x - view.x) * growth, y: at.y - (at.y - view.y) * growth },
    picture,
    stage,
  );
}

export const panBy = (view: View, across: number, down: number, picture: Size, stage: Size): View =>
  settle({ ...view, x: view.x + across, y: view.y + down }, picture, stage);

/** Moves the picture no more than needed to show this point, given in pixels of the picture. */
export function reveal(view: View, point: Point, picture: Size, stage: Size): View {
  const margin = Math.min(60, stage.width / 4, stage.height / 4);
  const [x, y] = [view.x + point.x * view.scale, view.y + point.y * view.scale];
  const across = clamp(x, margin, stage.width - margin) - x;
  const down = clamp(y, margin, stage.height - margin) - y;
  return across === 0 && down === 0 ? view : panBy(view, across, down, picture, stage);
}

/** Limits a view: the picture is never smaller than the stage allows, and leaves no avoidable gap in the stage. */
export function settle(view: View, picture: Size, stage: Size): View {
  const scale = Math.max(view.scale, fittingScale(picture, stage));
  return {
    scale,
    x: within(view.x, picture.width * scale, stage.width),
    y: within(view.y, picture.height * scale, stage.height),
  };
}

const within = (start: number, length: number, room: number) =>
  length <= room ? (room - length) / 2 : clamp(start, room - length, 0);

/** A point of the stage in pixels of the picture. */
export const toPicture = (view: View, { x, y }: Point): Point => ({
  x: (x - view.x) / view.scale,
  y: (y - view.y) / view.scale,
});
