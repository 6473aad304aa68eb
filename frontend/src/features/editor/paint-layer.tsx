import { memo, useEffect, useRef } from "react";
import type { Face } from "../../jobs/decision";
import type { Appearance } from "../../jobs/job";
import { frameOf, type Size } from "../../lib/geometry";
import { paintPlace, type Source } from "../../lib/paint";

/** The most pixels along a side of the paint. Paint has no detail, so that more would only cost time. */
const MAX_SIDE = 2048;

type Props = { faces: readonly Face[]; style: Appearance; source: Source | undefined; picture: Size };

/** The paint over the hidden ones of these faces, as the server will paint it. */
export const PaintLayer = memo(function PaintLayer({ faces, style, source, picture }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shrink = Math.min(1, MAX_SIDE / Math.max(picture.width, picture.height));
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !source) return;
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    for (const face of inOrder(faces, style, picture)) {
      paintPlace(context, source, face.place, face.appearance ?? style);
    }
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
