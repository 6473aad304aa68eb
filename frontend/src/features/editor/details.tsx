import { Trash2 } from "lucide-react";
import { useState, type Dispatch } from "react";
import type { Region } from "../../jobs/decision";
import type { Appearance } from "../../jobs/job";
import { KindSelect } from "./kind-select";
import { texts } from "../../texts";
import type { Action } from "./editing";
import { nameOf } from "./region-name";
import { StyleFields } from "./style-fields";

type SelectedProps = {
  regions: readonly Region[];
  style: Appearance;
  selected: Region | undefined;
  dispatch: Dispatch<Action>;
};

/** The controls of the selected region. */
export function Selected({ regions, style, selected, dispatch }: SelectedProps) {
  if (!selected) return <p className="note">{texts.editor.noneSelected}</p>;
  const { key, appearance, known } = selected;
  const restyle = (next: Appearance | undefined) => dispatch({ type: "restyle", key, appearance: next });
  return (
    <section aria-label={texts.editor.selected} className="editor-selected">
      <h3>{texts.editor.state(nameOf(selected, regions.indexOf(selected) + 1), selected.hidden)}</h3>
      <label>
        <input
          type="checkbox"
          checked={appearance !== undefined}
          onChange={(event) => restyle(event.target.checked ? style : undefined)}
        />{" "}
        {texts.editor.ownStyle}
      </label>
      {appearance && <StyleFields legend={texts.editor.ownStyleLegend} value={appearance} onChange={restyle} />}
      {!known && (
        <>
          <KindSelect
            label={texts.editor.kind}
            value={selected.kind}
            onChange={(kind) => dispatch({ type: "rekind", key, kind })}
          />
          <button type="button" className="button" onClick={() => dispatch({ type: "remove", key })}>
            <Trash2 aria-hidden="true" />
            <span>{texts.editor.remove}</span>
          </button>
        </>
      )}
    </section>
  );
}

type PhotoStyleProps = {
  style: Appearance;
  dispatch: Dispatch<Action>;
  onApplyToAll: (style: Appearance) => Promise<string>;
};

/** The style of all regions without their own style. */
export function PhotoStyle({ style, dispatch, onApplyToAll }: PhotoStyleProps) {
  const [answer, setAnswer] = useState<string>();
  async function applyToAll() {
    setAnswer(texts.editor.sending);
    setAnswer(await onApplyToAll(style));
  }
  return (
    <details className="editor-photo-style">
      <summary>{texts.editor.photoStyle}</summary>
      <StyleFields
        legend={texts.editor.photoStyleLegend}
        value={style}
        onChange={(next) => dispatch({ type: "restylePhoto", style: next })}
      />
      <button type="button" className="button" onClick={() => void applyToAll()}>
        {texts.editor.applyToAll}
      </button>
      <p role="status" className="note">
        {answer}
      </p>
    </details>
  );
}
