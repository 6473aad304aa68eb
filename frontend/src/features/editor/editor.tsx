import { useCallback, useEffect, useId, useMemo, useReducer, useRef, useState } from "react";
import { Notice } from "../../components/notice";
import type { Appearance } from "../../jobs/job";
import { frameOf } from "../../lib/geometry";
import { texts } from "../../texts";
import { PhotoStyle, Selected } from "./details";
import { edit, type Action, type Edited, type Editing } from "./editing";
import { RegionList } from "./region-list";
import { Finish } from "./finish";
import { Stage } from "./stage";
import { Tools } from "./tools";
import { useKeys } from "./use-keys";
import type { Loaded } from "./use-source";
import { useView } from "./use-view";

type Props = {
  name: string;
  url: string;
  photo: Loaded;
  /** The decision at the start: an earlier one, or what the detector found. */
  start: Editing;
  /** Whether the decision can be sent without any change. */
  canFinishAtOnce: boolean;
  /** A message that the person should read first. */
  note?: string | undefined;
  onEdit: (editing: Editing) => void;
  /** Carries out the decision. Its errors are shown. */
  onFinish: (edited: Edited) => Promise<void>;
  /** Does all other photos again in this style. Returns a message for the person. */
  onApplyToAll: (style: Appearance) => Promise<string>;
};

/** The editor, in which a person decides what is hidden in a photo. */
export function Editor({ name, url, photo, start, canFinishAtOnce, note, onEdit, onFinish, onApplyToAll }: Props) {
  const [editing, dispatch] = useReducer(edit, start);
  const [panning, setPanning] = useState(false);
  const { regions, style } = editing;
  const { width, height, source } = photo;
  const picture = useMemo(() => ({ width, height }), [width, height]);
  const stage = useRef<HTMLDivElement>(null);
  const help = useId();
  const control = useView(picture, stage);
  const selected = regions.find(({ key }) => key === editing.selected);
  const drawBox = useKeys({ stage, regions, selected, picture, control, dispatch });
  useEffect(() => stage.current?.focus(), []);
  useEffect(() => onEdit(editing), [editing, onEdit]);

  const { show } = control;
  const latestRegions = useRef(regions);
  useEffect(() => {
    latestRegions.current = regions;
  }, [regions]);
  /** The list selects a region without knowing where it is. It must stay the same function, or every row renders anew. */
  const dispatchFromList = useCallback(
    (action: Action) => {
      dispatch(action);
      const region = action.type === "select" && latestRegions.current.find(({ key }) => key === action.key);
      if (region) show(frameOf(region.place, picture));
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
        regions={regions}
        style={style}
        selected={selected}
        control={control}
        panning={panning}
        drawAs={editing.drawAs}
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
        <Finish editing={editing} canFinishAtOnce={canFinishAtOnce} onFinish={() => onFinish(editing)} />
        <div className="editor-details">
          {note && <Notice kind="info">{note}</Notice>}
          <Selected regions={regions} style={style} selected={selected} dispatch={dispatch} />
          <PhotoStyle style={style} dispatch={dispatch} onApplyToAll={onApplyToAll} />
          <RegionList regions={regions} selectedKey={selected?.key} dispatch={dispatchFromList} />
        </div>
      </div>
    </div>
  );
}
