import { memo, useEffect, useRef } from "react";
import type { Face } from "../../jobs/decision";
import type { Appearance } from "../../jobs/job";
import { boundsOf, frameOf, type Rectangle, type Size } from "../../lib/geometry";
import { paintedFrame, paintPlace, type Source } from "../../lib/paint";

/** The most pixels along a side of the paint. Paint has no detail, so that more would only cost time. */
const MAX_SIDE = 2048;

type Props = { faces: readonly Face[]; style: Appearance; source: Source | undefined; picture: Size };

/** The paint over the hidden ones of these faces, as the server will paint it. */
export const PaintLayer = memo(function PaintLayer({ faces, style, source, picture }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const painted = useRef<Props>(undefined);
  const shrink = Math.min(1, MAX_SIDE / Math.max(picture.width, picture.height));
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !source) return;
    const last = painted.current;
    const isSame = last?.style === style && last.source === source && last.picture === picture;
    const changed = isSame ? changedFaces(last.faces, faces) : undefined;
    paintFaces(context, source, faces, style, changed);
    painted.current = { faces, style, source, picture };
  }, [faces, style, source, picture]);
  return (
    <canvas
      ref={canvas}
      width={Math.max(1, Math.round(picture.width * shrink))}
      height={Math.max(1, Math.round(picture.height * shrink))}
      aria-hidden="true"
    />
  );
});

/** The faces, as they were and as they are, that differ between two lists. */
function changedFaces(before: readonly Face[], after: readonly Face[]): Face[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [...before.filter((face) => !now.has(face)), ...after.filter((face) => !old.has(face))];
}

/** Paints all hidden faces, or only what is near the changed ones: a photo may have hundreds. */
function paintFaces(
  context: CanvasRenderingContext2D,
  source: Source,
  faces: readonly Face[],
  style: Appearance,
  changed: readonly Face[] | undefined,
): void {
  const { width, height } = context.canvas;
  const bounds = (face: Face) => boundsOf(paintedFrame(face.place, face.appearance ?? style, { width, height }));
  const part = changed ? around(changed.map(bounds)) : { left: 0, top: 0, width, height };
  context.save();
  context.beginPath();
  context.rect(part.left, part.top, part.width, part.height);
  context.clip();
  context.clearRect(part.left, part.top, part.width, part.height);
  for (const face of inOrder(faces, style, { width, height })) {
    if (meet(bounds(face), part)) paintPlace(context, source, face.place, face.appearance ?? style);
  }
  context.restore();
}

/** The hidden faces in the server's order: small ones over large ones, and plain colours over everything else. */
function inOrder(faces: readonly Face[], style: Appearance, picture: Size): Face[] {
  const isSolid = (face: Face) => Number((face.appearance ?? style).style === "solid");
  const area = (face: Face) => {
    const { across, down } = frameOf(face.place, picture);
    return across * down;
  };
  return faces
    .filter(({ hidden }) => hidden)
    .sort((one, other) => isSolid(one) - isSolid(other) || area(other) - area(one));
}

/** The rectangle around these, with whole pixels. */
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
