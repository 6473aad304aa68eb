import { memo, useState, type Dispatch } from "react";
import type { Region } from "../../jobs/decision";
import { countKinds, type Kind } from "../../jobs/job";
import { KINDS } from "../../jobs/choices";
import { texts } from "../../texts";
import type { Action } from "./editing";
import { nameOf } from "./region-name";

/** Up to this many regions are listed. The keys reach the others in the picture. */
const MAX_LISTED = 1000;

type Props = { regions: readonly Region[]; selectedKey: string | undefined; dispatch: Dispatch<Action> };

/** All regions, or those of one kind, each with a checkbox, for screen readers and the keyboard. Those of one kind can be
 * hidden or shown at once. */
export function RegionList({ regions, selectedKey, dispatch }: Props) {
  const [chosen, setChosen] = useState<Kind>();
  const counts = countKinds(regions);
  const present = KINDS.filter((kind) => counts[kind] > 0);
  // The last box of the chosen kind may have been deleted.
  const shown = chosen && counts[chosen] > 0 ? chosen : undefined;
  const numbered = regions.map((region, index) => ({ region, number: index + 1 }));
  const matching = numbered.filter(({ region }) => !shown || region.kind === shown);
  const listed = matching.slice(0, MAX_LISTED);
  return (
    <section aria-label={texts.editor.list}>
      <h3>{texts.editor.list}</h3>
      {regions.length === 0 && <p className="note">{texts.editor.nothingFound}</p>}
      {present.length > 1 && (
        <label className="editor-kind">
          {texts.editor.listed}
          <select value={shown ?? ""} onChange={({ target }) => setChosen((target.value || undefined) as Kind)}>
            <option value="">{texts.editor.allKinds(regions.length)}</option>
            {present.map((kind) => (
              <option key={kind} value={kind}>
                {texts.editor.ofKind(kind, counts[kind])}
              </option>
            ))}
          </select>
        </label>
      )}
      {shown && present.length > 1 && (
        <div className="editor-choices">
          <button
            type="button"
            className="button"
            onClick={() => dispatch({ type: "setAll", hidden: true, kind: shown })}
          >
            {texts.editor.hideKind(shown)}
          </button>
          <button
            type="button"
            className="button"
            onClick={() => dispatch({ type: "setAll", hidden: false, kind: shown })}
          >
            {texts.editor.showKind(shown)}
          </button>
        </div>
      )}
      <ul className="editor-regions">
        {listed.map(({ region, number }) => (
          <Row
            key={region.key}
            region={region}
            number={number}
            isSelected={region.key === selectedKey}
            dispatch={dispatch}
          />
        ))}
      </ul>
      {matching.length > listed.length && <p className="note">{texts.editor.more(matching.length - listed.length)}</p>}
    </section>
  );
}

type RowProps = { region: Region; number: number; isSelected: boolean; dispatch: Dispatch<Action> };

const Row = memo(function Row({ region, number, isSelected, dispatch }: RowProps) {
  return (
    <li className={isSelected ? "is-current" : undefined}>
      <label>
        <input
          type="checkbox"
          checked={region.hidden}
          onFocus={() => dispatch({ type: "select", key: region.key })}
          onChange={() => dispatch({ type: "toggle", key: region.key })}
        />{" "}
        {texts.editor.hide(nameOf(region, number))}
      </label>
    </li>
  );
});
