/** Width and height in pixels. */
export type Size = { width: number; height: number };

/** A rectangle, in fractions of a picture or in pixels. */
export type Rectangle = { left: number; top: number; width: number; height: number };

/**
 * A rectangle in fractions of the upright picture. `roll` is in degrees clockwise. If it is `turned`, the rectangle itself
 * is turned about its middle. Otherwise it is upright and encloses a head that is turned.
 */
export type Place = Rectangle & { roll: number; turned: boolean };

/** An ellipse, or the rectangle around it: its middle and half-axes in pixels, its roll in degrees clockwise. */
export type Frame = { x: number; y: number; across: number; down: number; roll: number };

export type Point = { x: number; y: number };

/** Height by width of the box around an upright head, as on the server. */
const HEAD = 1.25;

export const radians = (degrees: number) => (degrees * Math.PI) / 180;
export const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

/** The frame of a place in a picture of this size. */
export function frameOf(place: Place, { width, height }: Size): Frame {
  return {
    x: (place.left + place.width / 2) * width,
    y: (place.top + place.height / 2) * height,
    across: (place.width * width) / 2,
    down: (place.height * height) / 2,
    roll: place.turned ? place.roll : 0,
  };
}

/** The place of a frame in a picture of this size. */
export function placeOf(frame: Frame, { width, height }: Size): Place {
  return {
    left: (frame.x - frame.across) / width,
    top: (frame.y - frame.down) / height,
    width: (2 * frame.across) / width,
    height: (2 * frame.down) / height,
    roll: frame.roll,
    turned: true,
  };
}

/**
 * The ellipse that a head fills, turned like the head. The server explains the equations where it hides faces
 * (`head_frame`).
 */
export function headFrame(place: Place, size: Size): Frame {
  const frame = frameOf(place, size);
  if (place.turned) return frame;
  const total = frame.across ** 2 + frame.down ** 2;
  const double = Math.cos(2 * radians(place.roll));
  const usual = (total * (1 - HEAD ** 2)) / (1 + HEAD ** 2);
  const difference = (frame.across ** 2 - frame.down ** 2) * double + usual * (1 - double ** 2);
  return {
    ...frame,
    across: Math.sqrt(Math.max(total + difference, 0) / 2),
    down: Math.sqrt(Math.max(total - difference, 0) / 2),
    roll: place.roll,
  };
}

/** A point in the coordinates of a frame: its middle is the origin, its horizontal axis points to the right. */
export function toFrame({ x, y }: Point, frame: Frame): Point {
  const [cosine, sine] = [Math.cos(radians(frame.roll)), Math.sin(radians(frame.roll))];
  return {
    x: (x - frame.x) * cosine + (y - frame.y) * sine,
    y: (y - frame.y) * cosine - (x - frame.x) * sine,
  };
}

/** The opposite of `toFrame`. */
export function fromFrame({ x, y }: Point, frame: Frame): Point {
  const [cosine, sine] = [Math.cos(radians(frame.roll)), Math.sin(radians(frame.roll))];
  return { x: frame.x + x * cosine - y * sine, y: frame.y + x * sine + y * cosine };
}

/** The corners of a frame, clockwise from the upper left one. */
export const corners = (frame: Frame): Point[] =>
  [
    { x: -frame.across, y: -frame.down },
    { x: frame.across, y: -frame.down },
    { x: frame.across, y: frame.down },
    { x: -frame.across, y: frame.down },
  ].map((corner) => fromFrame(corner, frame));

/** The upright rectangle around a frame, in pixels. */
export function boundsOf(frame: Frame): Rectangle {
  const points = corners(frame);
  const [left, top] = [Math.min(...points.map(({ x }) => x)), Math.min(...points.map(({ y }) => y))];
  const [right, bottom] = [Math.max(...points.map(({ x }) => x)), Math.max(...points.map(({ y }) => y))];
  return { left, top, width: right - left, height: bottom - top };
}

/** The part of a rectangle that lies in a picture of this size, all in pixels. */
export function clip(rectangle: Rectangle, size: Size): Rectangle {
  const left = clamp(rectangle.left, 0, size.width);
  const top = clamp(rectangle.top, 0, size.height);
  return {
    left,
    top,
    width: clamp(rectangle.left + rectangle.width, left, size.width) - left,
    height: clamp(rectangle.top + rectangle.height, top, size.height) - top,
  };
}
