import type { Box } from "./receipt";

type Rectangle = Pick<Box, "left" | "top" | "width" | "height">;

/** The left edge of a number, and its lower or upper edge, each as a distance from the picture's same edge. */
type Place = { left: number } & ({ bottom: number } | { top: number });

/** About the size of a number in the smallest picture, in fractions of it. */
const LABEL = { width: 0.05, height: 0.06 };

/**
 * The places of the boxes' numbers, in fractions of the picture: above or below the box, so that no number covers a face or
 * another number. Null if there is no such place.
 */
export function labelPlaces(boxes: readonly Rectangle[]): (Place | null)[] {
  const taken: Rectangle[] = [...boxes];
  return boxes.map(({ left, top, width, height }) => {
    const right = left + width - LABEL.width;
    const rows = [top - LABEL.height, top + height];
    const candidates = rows.flatMap((row) => [left, right].map((column) => ({ left: column, top: row, ...LABEL })));
    const free = candidates.find((place) => isInside(place) && !taken.some((other) => overlap(place, other)));
    if (!free) return null;
    taken.push(free);
    return free.top < top ? { left: free.left, bottom: 1 - top } : { left: free.left, top: free.top };
  });
}

const isInside = ({ left, top, width, height }: Rectangle) =>
  left >= 0 && top >= 0 && left + width <= 1 && top + height <= 1;

// Boxes that only touch do not overlap, whatever the rounding of their sums.
const overlap = (one: Rectangle, other: Rectangle) =>
  one.left + one.width > other.left + 1e-9 &&
  other.left + other.width > one.left + 1e-9 &&
  one.top + one.height > other.top + 1e-9 &&
  other.top + other.height > one.top + 1e-9;
