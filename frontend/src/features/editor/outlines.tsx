import { memo } from "react";
import type { Face } from "../../jobs/decision";
import { corners, type Frame, type Size } from "../../lib/geometry";
import { rollHandle, shownFrame } from "./shapes";

type Props = { faces: readonly Face[]; picture: Size };

/** The boxes of all faces. All hidden ones are a single path, and so are all visible ones: a photo may have thousands. */
export const Outlines = memo(function Outlines({ faces, picture }: Props) {
  return (
    <Drawing picture={picture}>
      <Line
        path={pathOf(
          faces.filter(({ hidden }) => hidden),
          picture,
        )}
        className="is-hidden-face"
      />
      <Line
        path={pathOf(
          faces.filter(({ hidden }) => !hidden),
          picture,
        )}
        className="is-visible-face"
      />
    </Drawing>
  );
});

/** The selected box, with handles at its corners and one to turn it. `away` and `radius` are in pixels of the picture. */
export function Selection({
  face,
  picture,
  away,
  radius,
}: {
  face: Face;
  picture: Size;
  away: number;
  radius: number;
}) {
  const frame = shownFrame(face, picture);
  const top = rollHandle(frame, 0);
  const handle = rollHandle(frame, away);
  return (
    <Drawing picture={picture}>
      <g className="is-selected-face">
        <Line
          path={`${outline(frame)}M${top.x} ${top.y}L${handle.x} ${handle.y}`}
          className={face.hidden ? "is-hidden-face" : "is-visible-face"}
        />
        {[...corners(frame), handle].map(({ x, y }, index) => (
          <circle key={index} cx={x} cy={y} r={radius} />
        ))}
      </g>
    </Drawing>
  );
}

function Drawing({ picture, children }: { picture: Size; children: React.ReactNode }) {
  return (
    <svg viewBox={`0 0 ${picture.width} ${picture.height}`} preserveAspectRatio="none" aria-hidden="true">
      {children}
    </svg>
  );
}

function Line({ path, className }: { path: string; className: string }) {
  return (
    <g className={className}>
      <path d={path} className="editor-edge" />
      <path d={path} className="editor-line" />
    </g>
  );
}

const pathOf = (faces: readonly Face[], picture: Size) =>
  faces.map((face) => outline(shownFrame(face, picture))).join("");

const outline = (frame: Frame) =>
  `M${corners(frame)
    .map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`)
    .join("L")}z`;
