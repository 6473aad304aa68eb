import { memo } from "react";
import type { Region } from "../../jobs/decision";
import { boundsOf, corners, type Frame, type Size } from "../../lib/geometry";
import { texts } from "../../texts";
import { rollHandle, shownFrame } from "./shapes";

type Props = { regions: readonly Region[]; picture: Size };

/** The boxes of all regions. All hidden boxes are one path, and all visible ones another: a photo may have thousands. */
export const Outlines = memo(function Outlines({ regions, picture }: Props) {
  return (
    <Drawing picture={picture}>
      <Line
        path={pathOf(
          regions.filter(({ hidden }) => hidden),
          picture,
        )}
        className="is-hidden-region"
      />
      <Line
        path={pathOf(
          regions.filter(({ hidden }) => !hidden),
          picture,
        )}
        className="is-visible-region"
      />
    </Drawing>
  );
});

/** Up to this many boxes are labelled. More labels would hide the picture. */
const MAX_LABELLED = 200;

/** The labels of boxes of plates and text. Faces have no label, because there are many and people recognise them. */
export const KindLabels = memo(function KindLabels({ regions, picture }: Props) {
  const labelled = regions.filter(({ kind }) => kind !== "face").slice(0, MAX_LABELLED);
  return (
    <div className="editor-kinds" aria-hidden="true">
      {labelled.map((region) => {
        const { left, top } = boundsOf(shownFrame(region, picture));
        const style = { left: `${(left / picture.width) * 100}%`, top: `${(top / picture.height) * 100}%` };
        return (
          <span key={region.key} style={style}>
            {texts.kinds[region.kind]}
          </span>
        );
      })}
    </div>
  );
});

/** The selected box, with handles at its corners and one to turn it. `away` and `radius` are in pixels of the picture. */
export function Selection({
  region,
  picture,
  away,
  radius,
}: {
  region: Region;
  picture: Size;
  away: number;
  radius: number;
}) {
  const frame = shownFrame(region, picture);
  const top = rollHandle(frame, 0);
  const handle = rollHandle(frame, away);
  return (
    <Drawing picture={picture}>
      <g className="is-selected-region">
        <Line
          path={`${outline(frame)}M${top.x} ${top.y}L${handle.x} ${handle.y}`}
          className={region.hidden ? "is-hidden-region" : "is-visible-region"}
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

const pathOf = (regions: readonly Region[], picture: Size) =>
  regions.map((region) => outline(shownFrame(region, picture))).join("");

const outline = (frame: Frame) =>
  `M${corners(frame)
    .map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`)
    .join("L")}z`;
