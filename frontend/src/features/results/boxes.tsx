import { percent } from "../../lib/format";
import { texts } from "../../texts";
import type { Box } from "./receipt";

/** Up to this many boxes get a number in the picture. More numbers would hide the picture. */
const MAX_NUMBERED = 30;

/** Up to this many faces are listed. A photo may have thousands, which would make the page slow. */
const MAX_LISTED = 100;

const PASSES = ["first", "check"] as const;

/** Boxes over a picture that fills its container. All boxes of one detection pass are a single SVG path. */
export function Boxes({ boxes }: { boxes: readonly Box[] }) {
  const numbered = boxes.length <= MAX_NUMBERED;
  return (
    <div className={numbered ? "boxes" : "boxes is-crowded"} aria-hidden="true">
      <svg viewBox="0 0 1 1" preserveAspectRatio="none">
        {PASSES.map((pass) => {
          const path = outlines(boxes.filter((box) => box.found_in === pass));
          return (
            <g key={pass} className={`is-${pass}`}>
              <path d={path} className="boxes-edge" />
              <path d={path} className="boxes-line" />
            </g>
          );
        })}
      </svg>
      {numbered &&
        boxes.map(({ left, top, found_in }, index) => (
          <span key={index} className={`is-${found_in}`} style={{ left: `${left * 100}%`, top: `${top * 100}%` }}>
            {index + 1}
          </span>
        ))}
    </div>
  );
}

/** The confidence and the detector of each face, as a list. */
export function BoxList({ boxes }: { boxes: readonly Box[] }) {
  if (boxes.length === 0) return <p className="note">{texts.boxes.none}</p>;
  const listed = boxes.slice(0, MAX_LISTED);
  const anyFromCheck = boxes.some(({ found_in }) => found_in === "check");
  return (
    <>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the keyboard must be able to scroll it */}
      <div className="box-list" role="region" aria-label={texts.boxes.label} tabIndex={0}>
        <ol>
          {listed.map(({ confidence, found_by, found_in, round }, index) => (
            <li key={index}>
              {texts.boxes.confidence(percent(confidence / 100))}
              <span className="note">
                {" "}
                · {texts.boxes.foundBy[found_by]}
                {found_in === "check" && ` · ${texts.boxes.check(round)}`}
              </span>
            </li>
          ))}
        </ol>
      </div>
      {anyFromCheck && <p className="note">{texts.boxes.legend}</p>}
      {boxes.length > listed.length && <p className="note">{texts.boxes.more(boxes.length - listed.length)}</p>}
    </>
  );
}

/** The outlines of the boxes as data of one SVG path, in fractions of the picture. */
function outlines(boxes: readonly Box[]): string {
  return boxes.map(({ left, top, width, height }) => `M${left} ${top}h${width}v${height}h${-width}z`).join("");
}
