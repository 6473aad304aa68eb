import { percent } from "../../lib/format";
import { texts } from "../../texts";
import type { Face } from "./receipt";

/** Boxes over a picture that fills its container; the list beside it says the same to everybody. */
export function Boxes({ faces }: { faces: readonly Face[] }) {
  return (
    <div className="boxes" aria-hidden="true">
      {faces.map(({ left, top, width, height, look }, index) => (
        <div
          key={index}
          className={look === "second" ? "boxes-face is-second" : "boxes-face"}
          style={{ left: share(left), top: share(top), width: share(width), height: share(height) }}
        >
          <span>{index + 1}</span>
        </div>
      ))}
    </div>
  );
}

/** What is known of each face. */
export function BoxList({ faces }: { faces: readonly Face[] }) {
  if (faces.length === 0) return <p className="note">{texts.boxes.none}</p>;
  return (
    <ol className="box-list" aria-label={texts.boxes.label}>
      {faces.map(({ confidence, found_by, look }, index) => (
        <li key={index}>
          {texts.boxes.face(percent(confidence / 100))}
          <span className="note">
            {" "}
            · {texts.boxes.foundBy[found_by] ?? found_by}
            {look === "second" && ` · ${texts.boxes.second}`}
          </span>
        </li>
      ))}
    </ol>
  );
}

const share = (fraction: number) => `${fraction * 100}%`;
