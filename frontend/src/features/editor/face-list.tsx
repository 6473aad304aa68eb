import { memo, type Dispatch } from "react";
import type { Face } from "../../jobs/decision";
import { texts } from "../../texts";
import type { Action } from "./editing";
import { nameOf } from "./face-name";

/** Up to this many faces are listed. The keys reach the others in the picture. */
const MAX_LISTED = 1000;

type Props = { faces: readonly Face[]; selectedKey: string | undefined; dispatch: Dispatch<Action> };

/** All faces with a checkbox each, for screen readers and for the keyboard. */
export function FaceList({ faces, selectedKey, dispatch }: Props) {
  const listed = faces.slice(0, MAX_LISTED);
  return (
    <section aria-label={texts.editor.list}>
      <h3>{texts.editor.list}</h3>
      {faces.length === 0 && <p className="note">{texts.editor.nothingFound}</p>}
      <ul className="editor-faces">
        {listed.map((face, index) => (
          <Row
            key={face.key}
            face={face}
            number={index + 1}
            isSelected={face.key === selectedKey}
            dispatch={dispatch}
          />
        ))}
      </ul>
      {faces.length > listed.length && <p className="note">{texts.editor.more(faces.length - listed.length)}</p>}
    </section>
  );
}

type RowProps = { face: Face; number: number; isSelected: boolean; dispatch: Dispatch<Action> };

const Row = memo(function Row({ face, number, isSelected, dispatch }: RowProps) {
  return (
    <li className={isSelected ? "is-current" : undefined}>
      <label>
        <input
          type="checkbox"
          checked={face.hidden}
          onFocus={() => dispatch({ type: "select", key: face.key })}
          onChange={() => dispatch({ type: "toggle", key: face.key })}
        />{" "}
        {texts.editor.hide(nameOf(face, number))}
      </label>
    </li>
  );
});
