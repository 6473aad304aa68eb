import { turned, type Region } from "../../jobs/decision";
import {
  clamp,
  corners,
  frameOf,
  fromFrame,
  headFrame,
  placeOf,
  toFrame,
  type Frame,
  type Place,
  type Point,
  type Size,
} from "../../lib/geometry";

/** The part of a box that a person drags. The corners are numbered clockwise from the upper left one. */
export type Handle = { part: "corner"; corner: number } | { part: "roll" } | { part: "inside" };

/** The smallest side of a box, in pixels of the picture. */
const MIN_SIDE = 4;

/** The frame in which a region is shown. For a face, it is turned like the head. */
export const shownFrame = (region: Region, picture: Size): Frame =>
  region.place.turned ? frameOf(region.place, picture) : headFrame(region.place, picture);

/** The smallest region at this point. A small region also counts within `reach` pixels of the picture around it. */
export function regionAt(regions: readonly Region[], point: Point, picture: Size, reach: number): Region | undefined {
  let best: { region: Region; distance: number; area: number } | undefined;
  for (const region of regions) {
    const frame = shownFrame(region, picture);
    const distance = distanceTo(frame, point);
    const area = frame.across * frame.down;
    if (distance > reach) continue;
    if (!best || distance < best.distance || (distance === best.distance && area < best.area))
      best = { region, distance, area };
  }
  return best?.region;
}

/** How far a point lies outside a frame; 0 inside. */
function distanceTo(frame: Frame, point: Point): number {
  const { x, y } = toFrame(point, frame);
  return Math.hypot(Math.max(0, Math.abs(x) - frame.across), Math.max(0, Math.abs(y) - frame.down));
}

/** The position of the handle that turns a box: above its upper edge, `away` pixels of the picture. */
export const rollHandle = (frame: Frame, away: number): Point => fromFrame({ x: 0, y: -frame.down - away }, frame);

/** The part of a box that a drag from this point moves, if any. The middle always moves the box, even a small one. */
export function handleAt(frame: Frame, point: Point, reach: number, away: number): Handle | undefined {
  const { x, y } = toFrame(point, frame);
  if (Math.abs(x) < frame.across / 2 && Math.abs(y) < frame.down / 2) return { part: "inside" };
  const isNear = (handle: Point) => Math.hypot(handle.x - point.x, handle.y - point.y) <= reach;
  if (isNear(rollHandle(frame, away))) return { part: "roll" };
  const corner = corners(frame).findIndex(isNear);
  if (corner >= 0) return { part: "corner", corner };
  return distanceTo(frame, point) === 0 ? { part: "inside" } : undefined;
}

/** The place after a handle was dragged from one point to another. */
export function dragged(place: Place, handle: Handle, from: Point, to: Point, picture: Size): Place {
  const start = turned(place, picture);
  const frame = frameOf(start, picture);
  if (handle.part === "inside") return movedBy(start, to.x - from.x, to.y - from.y, picture);
  if (handle.part === "roll") {
    const angle = (Math.atan2(to.y - frame.y, to.x - frame.x) * 180) / Math.PI + 90;
    return { ...start, roll: withinHalfTurn(angle) };
  }
  const opposite = corners(frame)[(handle.corner + 2) % 4]!;
  return within(placeOf(between(opposite, to, frame.roll), picture));
}

/** The box between two points. */
export const drawn = (from: Point, to: Point, picture: Size): Place => within(placeOf(between(from, to, 0), picture));

export const movedBy = (place: Place, across: number, down: number, picture: Size): Place =>
  within({
    ...turned(place, picture),
    left: turned(place, picture).left + across / picture.width,
    top: turned(place, picture).top + down / picture.height,
  });

/** The place, larger or smaller by this many pixels on each side. */
export function grownBy(place: Place, across: number, down: number, picture: Size): Place {
  const frame = frameOf(turned(place, picture), picture);
  const half = (side: number, more: number) => Math.max(MIN_SIDE / 2, side + more);
  return within(placeOf({ ...frame, across: half(frame.across, across), down: half(frame.down, down) }, picture));
}

export function rolledBy(place: Place, degrees: number, picture: Size): Place {
  const start = turned(place, picture);
  return { ...start, roll: withinHalfTurn(start.roll + degrees) };
}

/** A frame with this roll and two opposite corners. */
function between(one: Point, other: Point, roll: number): Frame {
  const middle = { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
  const frame = { ...middle, across: 0, down: 0, roll };
  const { x, y } = toFrame(other, frame);
  return { ...frame, across: Math.max(MIN_SIDE / 2, Math.abs(x)), down: Math.max(MIN_SIDE / 2, Math.abs(y)) };
}

/** The place, moved into the picture. A turned place only needs its middle in the picture, and may be larger than it. */
function within(place: Place): Place {
  if (place.turned && place.roll !== 0) {
    const [across, down] = [place.width / 2, place.height / 2];
    return { ...place, left: clamp(place.left, -across, 1 - across), top: clamp(place.top, -down, 1 - down) };
  }
  const [width, height] = [Math.min(place.width, 1), Math.min(place.height, 1)];
  return { ...place, width, height, left: clamp(place.left, 0, 1 - width), top: clamp(place.top, 0, 1 - height) };
}

const withinHalfTurn = (degrees: number) => ((((degrees + 180) % 360) + 360) % 360) - 180;

/** The nearest region in a direction (−1, 0 or 1 across and down) from the selected one. Without one, the first region. */
export function nextRegion(
  regions: readonly Region[],
  selected: Region | undefined,
  across: number,
  down: number,
  picture: Size,
): Region | undefined {
  if (!selected) return regions[0];
  const from = frameOf(selected.place, picture);
  let best: { region: Region; cost: number } | undefined;
  for (const region of regions) {
    const to = frameOf(region.place, picture);
    const ahead = (to.x - from.x) * across + (to.y - from.y) * down;
    const aside = Math.abs((to.x - from.x) * down) + Math.abs((to.y - from.y) * across);
    const cost = ahead + 2 * aside;
    if (region.key !== selected.key && ahead > 0 && (!best || cost < best.cost)) best = { region, cost };
  }
  return best?.region;
}
