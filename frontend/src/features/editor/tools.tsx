import { Eye, EyeOff, Hand, Maximize, Redo2, SquarePlus, Undo2, ZoomIn, ZoomOut } from "lucide-react";
import type { Dispatch } from "react";
import { texts } from "../../texts";
import type { Action, Editing } from "./editing";
import { IconButton } from "./editor-frame";
import { KindSelect } from "./kind-select";
import type { ViewControl } from "./use-view";

type ToolsProps = {
  editing: Editing;
  control: ViewControl;
  panning: boolean;
  onPanning: () => void;
  onDraw: () => void;
  dispatch: Dispatch<Action>;
};

/** The buttons for all regions, for undo and redo, and for the view. */
export function Tools({ editing, control, panning, onPanning, onDraw, dispatch }: ToolsProps) {
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
      <KindSelect label={words.drawAs} value={editing.drawAs} onChange={(kind) => dispatch({ type: "drawAs", kind })} />
    </div>
  );
}
