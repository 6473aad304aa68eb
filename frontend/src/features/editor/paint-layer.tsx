import { memo, useEffect, useRef } from "react";
import type { Region } from "../../jobs/decision";
import type { Appearance } from "../../jobs/job";
import { boundsOf, frameOf, type Rectangle, type Size } from "../../lib/geometry";
import { paintedFrame, paintPlace, type Source } from "../../lib/paint";

/** The most pixels along a side of the paint. Paint has no detail, so more would only cost time. */
const MAX_SIDE = 2048;

type Props = { regions: readonly Region[]; style: Appearance; source: Source | undefined; picture: Size };

/** The paint over the hidden regions, as the server will paint it. */
export const PaintLayer = memo(function PaintLayer({ regions, style, source, picture }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const painted = useRef<Props>(undefined);
  const shrink = Math.min(1, MAX_SIDE / Math.max(picture.width, picture.height));
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !source) return;
    const last = painted.current;
    const isSame = last?.style === style && last.source === source && last.picture === picture;
    const changed = isSame ? changedRegions(last.regions, regions) : undefined;
    paintRegions(context, source, regions, style, changed);
    painted.current = { regions, style, source, picture };
  }, [regions, style, source, picture]);
  return (
    <canvas
      ref={canvas}
      width={Math.max(1, Math.round(picture.width * shrink))}
      height={Math.max(1, Math.round(picture.height * shrink))}
      aria-hidden="true"
    />
  );
});

/** The regions that differ between two lists: their old and their new versions. */
function changedRegions(before: readonly Region[], after: readonly Region[]): Region[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [...before.filter((region) => !now.has(region)), ...after.filter((region) => !old.has(region))];
}

/** Paints all hidden regions or, as a photo may have hundreds, only those near the changed ones. */
function paintRegions(
  context: CanvasRenderingContext2D,
  source: Source,
  regions: readonly Region[],
  style: Appearance,
  changed: readonly Region[] | undefined,
): void {
  const { width, height } = context.canvas;
  const bounds = (region: Region) =>
    boundsOf(paintedFrame(region.place, region.appearance ?? style, region.kind, { width, height }));
  const part = changed ? around(changed.map(bounds)) : { left: 0, top: 0, width, height };
  context.save();
  context.beginPath();
  context.rect(part.left, part.top, part.width, part.height);
  context.clip();
  context.clearRect(part.left, part.top, part.width, part.height);
  for (const region of inOrder(regions, style, { width, height })) {
    if (meet(bounds(region), part)) paintPlace(context, source, region.place, region.appearance ?? style, region.kind);
  }
  context.restore();
}

/** The hidden regions in the server's order: small ones over large ones, and plain colours over everything else. */
function inOrder(regions: readonly Region[], style: Appearance, picture: Size): Region[] {
  const isSolid = (region: Region) => Number((region.appearance ?? style).style === "solid");
  const area = (region: Region) => {
    const { across, down } = frameOf(region.place, picture);
    return across * down;
  };
  return regions
    .filter(({ hidden }) => hidden)
    .sort((one, other) => isSolid(one) - isSolid(other) || area(other) - area(one));
}

/** The smallest rectangle of whole pixels around these. */
function around(rectangles: readonly Rectangle[]): Rectangle {
  const left = Math.floor(Math.min(...rectangles.map((each) => each.left)));
  const top = Math.floor(Math.min(...rectangles.map((each) => each.top)));
  const right = Math.ceil(Math.max(...rectangles.map((each) => each.left + each.width)));
  const bottom = Math.ceil(Math.max(...rectangles.map((each) => each.top + each.height)));
  return rectangles.length === 0
    ? { left: 0, top: 0, width: 0, height: 0 }
    : { left, top, width: right - left, height: bottom - top };
}

const meet = (one: Rectangle, other: Rectangle) =>
  one.left < other.left + other.width &&
  other.left < one.left + one.width &&
  one.top < other.top + other.height &&
  other.top < one.top + one.height;
