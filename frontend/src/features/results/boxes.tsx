import { percent } from "../../lib/format";
import { texts } from "../../texts";
import type { Face } from "./receipt";

/** Up to this many boxes get a number in the picture. More numbers would hide the picture. */
const MAX_NUMBERED = 30;

/** Up to this many faces are listed. A photo may have thousands, which would make the page slow. */
const MAX_LISTED = 100;

const PASSES = ["first", "check"] as const;

/** Boxes over a picture that fills its container. All boxes of one detection pass are a single SVG path. */
export function Boxes({ faces }: { faces: readonly Face[] }) {
  const numbered = faces.length <= MAX_NUMBERED;
  return (
    <div className={numbered ? "boxes" : "boxes is-crowded"} aria-hidden="true">
      <svg viewBox="0 0 1 1" preserveAspectRatio="none">
        {PASSES.map((pass) => {
          const path = outlines(faces.filter((face) => face.look === pass));
          return (
            <g key={pass} className={`is-${pass}`}>
              <path d={path} className="boxes-edge" />
              <path d={path} className="boxes-line" />
            </g>
          );
        })}
      </svg>
      {numbered &&
        faces.map(({ left, top, look }, index) => (
          <span key={index} className={`is-${look}`} style={{ left: `${left * 100}%`, top: `${top * 100}%` }}>
            {index + 1}
          </span>
        ))}
    </div>
  );
}

/** The confidence and the detector of each face, as a list. */
export function BoxList({ faces }: { faces: readonly Face[] }) {
  if (faces.length === 0) return <p className="note">{texts.boxes.none}</p>;
  const listed = faces.slice(0, MAX_LISTED);
  const anyFromCheck = faces.some(({ look }) => look === "check");
  return (
    <>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the keyboard must be able to scroll it */}
      <div className="box-list" role="region" aria-label={texts.boxes.label} tabIndex={0}>
        <ol>
          {listed.map(({ confidence, found_by, look, round }, index) => (
            <li key={index}>
              {texts.boxes.confidence(percent(confidence / 100))}
              <span className="note">
                {" "}
                · {texts.boxes.foundBy[found_by]}
                {look === "check" && ` · ${texts.boxes.check(round)}`}
              </span>
            </li>
          ))}
        </ol>
      </div>
      {anyFromCheck && <p className="note">{texts.boxes.legend}</p>}
      {faces.length > listed.length && <p className="note">{texts.boxes.more(faces.length - listed.length)}</p>}
    </>
  );
}

/** The outlines of the boxes as data of one SVG path, in fractions of the picture. */
function outlines(faces: readonly Face[]): string {
  return faces.map(({ left, top, width, height }) => `M${left} ${top}h${width}v${height}h${-width}z`).join("");
}
