import { percent } from "../../lib/format";
import { texts } from "../../texts";
import { labelPlaces } from "./label-places";
import { outline } from "./outline";
import type { Box } from "./receipt";

/** Up to this many boxes get a number in the picture. More numbers would hide the picture. */
const MAX_NUMBERED = 30;

/** Up to this many boxes are listed. A photo may have thousands, which would make the page slow. */
const MAX_LISTED = 100;

/** The styles of boxes: by who found them, and for boxes that stay visible. */
const KINDS = ["first", "check", "person", "visible"] as const;

const kindOf = ({ found_in, hidden }: Box): (typeof KINDS)[number] => (hidden ? found_in : "visible");

type BoxesProps = {
  boxes: readonly Box[];
  /** Width of the picture divided by its height. */
  ratio: number;
};

/** Boxes over a picture that fills its container. All boxes of one kind are a single SVG path. */
export function Boxes({ boxes, ratio }: BoxesProps) {
  const numbered = boxes.length <= MAX_NUMBERED;
  return (
    <div className={numbered ? "boxes" : "boxes is-crowded"} aria-hidden="true">
      <svg viewBox="0 0 1 1" preserveAspectRatio="none">
        {KINDS.map((kind) => {
          const path = boxes.filter((box) => kindOf(box) === kind).map((box) => outline(box, ratio));
          return (
            <g key={kind} className={`is-${kind}`}>
              <path d={path.join("")} className="boxes-edge" />
              <path d={path.join("")} className="boxes-line" />
            </g>
          );
        })}
      </svg>
      {numbered &&
        labelPlaces(boxes).map((place, index) =>
          place === null ? null : (
            <span key={index} className={`is-${kindOf(boxes[index]!)}`} style={inPercent(place)}>
              {index + 1}
            </span>
          ),
        )}
    </div>
  );
}

const inPercent = (place: object) =>
  Object.fromEntries(Object.entries(place).map(([edge, fraction]) => [edge, `${Number(fraction) * 100}%`]));

/** The confidence and the detector of each box of a photo, as a list. */
export function BoxList({ name, boxes }: { name: string; boxes: readonly Box[] }) {
  if (boxes.length === 0) return <p className="note">{texts.boxes.none}</p>;
  const listed = boxes.slice(0, MAX_LISTED);
  const kinds = new Set(boxes.map(kindOf));
  return (
    <>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the keyboard must be able to scroll it */}
      <div className="box-list" role="region" aria-label={texts.boxes.label(name)} tabIndex={0}>
        <ol>
          {listed.map((box, index) => (
            <li key={index}>
              <Finding box={box} />
            </li>
          ))}
        </ol>
      </div>
      {kinds.has("check") && <p className="note">{texts.boxes.legend}</p>}
      {kinds.has("visible") && <p className="note">{texts.boxes.visibleLegend}</p>}
      {boxes.length > listed.length && <p className="note">{texts.boxes.more(boxes.length - listed.length)}</p>}
    </>
  );
}

/** The kind of a box unless it is a face, who found it, the confidence, and whether it stays visible. */
function Finding({ box: { kind, confidence, found_by, found_in, round, hidden } }: { box: Box }) {
  const visible = hidden ? "" : ` · ${texts.boxes.visible}`;
  const what = kind === "face" ? "" : `${texts.kinds[kind]} · `;
  if (found_by === "person") return what + texts.boxes.byPerson + visible;
  return (
    <>
      {what + texts.boxes.confidence(percent(confidence / 100))}
      <span className="note">
        {" "}
        · {texts.boxes.foundBy[found_by]}
        {found_in === "check" && ` · ${texts.boxes.check(round)}`}
        {visible}
      </span>
    </>
  );
}
