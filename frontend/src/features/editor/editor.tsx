import { Eye, EyeOff, Hand, Maximize, Redo2, SquarePlus, Trash2, Undo2, ZoomIn, ZoomOut } from "lucide-react";
import { useCallback, useEffect, useId, useMemo, useReducer, useRef, useState, type Dispatch } from "react";
import { failureOf } from "../../api/failure";
import { Notice } from "../../components/notice";
import type { Face } from "../../jobs/decision";
import type { Appearance } from "../../jobs/job";
import { frameOf, type Size } from "../../lib/geometry";
import { texts } from "../../texts";
import { IconButton } from "./editor-frame";
import { edit, type Action, type Edited, type Editing } from "./editing";
import { FaceList } from "./face-list";
import { nameOf } from "./face-name";
import { Stage } from "./stage";
import { StyleFields } from "./style-fields";
import { useKeys } from "./use-keys";
import type { Loaded } from "./use-source";
import { useView, type ViewControl } from "./use-view";

type Props = {
  name: string;
  url: string;
  photo: Loaded;
  /** What was decided before, perhaps by the detector alone. */
  start: Editing;
  /** Whether there is something to send before anything is changed. */
  canFinishAtOnce: boolean;
  /** What the person should know before. */
  note?: string | undefined;
  onEdit: (editing: Editing) => void;
  /** Carries the decision out. What it throws is shown. */
  onFinish: (edited: Edited, picture: Size) => Promise<void>;
  /** Does all other photos in this style, and returns how many. */
  onApplyToAll: (style: Appearance) => Promise<number>;
};

/** Decides who is hidden in a photo. */
export function Editor({ name, url, photo, start, canFinishAtOnce, note, onEdit, onFinish, onApplyToAll }: Props) {
  const [editing, dispatch] = useReducer(edit, start);
  const [panning, setPanning] = useState(false);
  const { faces, style } = editing;
  const { width, height, source } = photo;
  const picture = useMemo(() => ({ width, height }), [width, height]);
  const stage = useRef<HTMLDivElement>(null);
  const help = useId();
  const control = useView(picture, stage);
  const selected = faces.find(({ key }) => key === editing.selected);
  const drawBox = useKeys({ stage, faces, selected, picture, control, dispatch });
  useEffect(() => stage.current?.focus(), []);
  useEffect(() => onEdit(editing), [editing, onEdit]);

  const { show } = control;
  const latestFaces = useRef(faces);
  useEffect(() => {
    latestFaces.current = faces;
  }, [faces]);
  /** The list selects a face without knowing where it is. It must stay the same function, or every row renders anew. */
  const dispatchFromList = useCallback(
    (action: Action) => {
      dispatch(action);
      const face = action.type === "select" && latestFaces.current.find(({ key }) => key === action.key);
      if (face) show(frameOf(face.place, picture));
    },
    [show, picture],
  );

  return (
    <div className="editor-body">
      <Stage
        element={stage}
        url={url}
        name={name}
        source={source}
        picture={picture}
        faces={faces}
        style={style}
        selected={selected}
        control={control}
        panning={panning}
        helpId={help}
        dispatch={dispatch}
      />
      <p id={help} className="is-sr-only">
        {texts.editor.help}
      </p>
      <div className="editor-side">
        <Tools
          editing={editing}
          control={control}
          panning={panning}
          onPanning={() => setPanning(!panning)}
          onDraw={drawBox}
          dispatch={dispatch}
        />
        <Finish editing={editing} canFinishAtOnce={canFinishAtOnce} onFinish={() => onFinish(editing, picture)} />
        <div className="editor-details">
          {note && <Notice kind="info">{note}</Notice>}
          <Selected faces={faces} style={style} selected={selected} dispatch={dispatch} />
          <PhotoStyle style={style} dispatch={dispatch} onApplyToAll={onApplyToAll} />
          <FaceList faces={faces} selectedKey={selected?.key} dispatch={dispatchFromList} />
        </div>
      </div>
    </div>
  );
}

type ToolsProps = {
  editing: Editing;
  control: ViewControl;
  panning: boolean;
  onPanning: () => void;
  onDraw: () => void;
  dispatch: Dispatch<Action>;
};

function Tools({ editing, control, panning, onPanning, onDraw, dispatch }: ToolsProps) {
  const { selected, past, future } = editing;
  const words = texts.editor;
  return (
    <div className="editor-tools">
      <div className="editor-choices">
        <button type="button" className="button" onClick={() => dispatch({ type: "setAll", hidden: true })}>
          <EyeOff aria-hidden="true" />
          <span>{words.hideAll}</span>
        </button>
        <button type="button" className="button" onClick={() => dispatch({ type: "setAll", hidden: false })}>
          <Eye aria-hidden="true" />
          <span>{words.showAll}</span>
        </button>
        <button
          type="button"
          className="button"
          disabled={!selected}
          onClick={() => selected && dispatch({ type: "hideOnly", key: selected })}
        >
          {words.showAllBut}
        </button>
      </div>
      <div className="editor-icons">
        <IconButton label={words.undo} onClick={past.length > 0 ? () => dispatch({ type: "undo" }) : undefined}>
          <Undo2 aria-hidden="true" />
        </IconButton>
        <IconButton label={words.redo} onClick={future.length > 0 ? () => dispatch({ type: "redo" }) : undefined}>
          <Redo2 aria-hidden="true" />
        </IconButton>
        <IconButton label={words.draw} onClick={onDraw}>
          <SquarePlus aria-hidden="true" />
        </IconButton>
        <IconButton label={words.pan} pressed={panning} onClick={onPanning}>
          <Hand aria-hidden="true" />
        </IconButton>
        <IconButton label={words.zoomOut} onClick={control.zoomOut}>
          <ZoomOut aria-hidden="true" />
        </IconButton>
        <IconButton label={words.zoomIn} onClick={control.zoomIn}>
          <ZoomIn aria-hidden="true" />
        </IconButton>
        <button type="button" className="button" onClick={control.actualSize}>
          {words.actualSize}
        </button>
        <IconButton label={words.whole} onClick={control.whole}>
          <Maximize aria-hidden="true" />
        </IconButton>
      </div>
    </div>
  );
}

type FinishProps = { editing: Editing; canFinishAtOnce: boolean; onFinish: () => Promise<void> };

function Finish({ editing, canFinishAtOnce, onFinish }: FinishProps) {
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<string>();
  const hidden = editing.faces.filter((face) => face.hidden).length;
  const canFinish = canFinishAtOnce || editing.past.length > 0;

  async function finish() {
    setSending(true);
    setProblem(undefined);
    try {
      await onFinish();
    } catch (error) {
      setProblem(failureOf(error).message);
      setSending(false);
    }
  }

  return (
    <div className="editor-finish">
      {problem && <Notice kind="danger">{problem}</Notice>}
      <p role="status">{texts.editor.count(hidden, editing.faces.length - hidden)}</p>
      <button
        type="button"
        className="button is-primary"
        disabled={!canFinish || sending}
        onClick={() => void finish()}
      >
        {sending ? texts.editor.sending : hidden > 0 ? texts.editor.finish : texts.editor.finishNone}
      </button>
    </div>
  );
}

type SelectedProps = {
  faces: readonly Face[];
  style: Appearance;
  selected: Face | undefined;
  dispatch: Dispatch<Action>;
};

/** What can be done with the selected face. */
function Selected({ faces, style, selected, dispatch }: SelectedProps) {
  if (!selected) return <p className="note">{texts.editor.noneSelected}</p>;
  const { key, appearance, known } = selected;
  const restyle = (next: Appearance | undefined) => dispatch({ type: "restyle", key, appearance: next });
  return (
    <section aria-label={texts.editor.selected} className="editor-selected">
      <h3>{texts.editor.state(nameOf(selected, faces.indexOf(selected) + 1), selected.hidden)}</h3>
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
        <button type="button" className="button" onClick={() => dispatch({ type: "remove", key })}>
          <Trash2 aria-hidden="true" />
          <span>{texts.editor.remove}</span>
        </button>
      )}
    </section>
  );
}

type PhotoStyleProps = {
  style: Appearance;
  dispatch: Dispatch<Action>;
  onApplyToAll: (style: Appearance) => Promise<number>;
};

/** The style of all faces that have none of their own. */
function PhotoStyle({ style, dispatch, onApplyToAll }: PhotoStyleProps) {
  const [answer, setAnswer] = useState<string>();
  async function applyToAll() {
    setAnswer(texts.editor.sending);
    const count = await onApplyToAll(style).then(texts.editor.applied, (error: unknown) => failureOf(error).message);
    setAnswer(count);
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
