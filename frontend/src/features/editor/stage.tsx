import { useMemo, type Dispatch, type RefObject } from "react";
import type { Face } from "../../jobs/decision";
import type { Appearance } from "../../jobs/job";
import type { Size } from "../../lib/geometry";
import type { Source } from "../../lib/paint";
import { texts } from "../../texts";
import type { Action } from "./editing";
import { Outlines, Selection } from "./outlines";
import { PaintLayer } from "./paint-layer";
import { ROLL_HANDLE, useGestures, type Draft } from "./use-gestures";
import type { ViewControl } from "./use-view";

/** The radius of a handle, in screen pixels. */
const HANDLE = 7;

type Props = {
  element: RefObject<HTMLDivElement | null>;
  url: string;
  name: string;
  source: Source | undefined;
  picture: Size;
  faces: readonly Face[];
  style: Appearance;
  selected: Face | undefined;
  control: ViewControl;
  panning: boolean;
  /** Id of the text that explains the keys. */
  helpId: string;
  dispatch: Dispatch<Action>;
};

/** The photo with the boxes of its faces, and with the paint that will hide them. */
export function Stage(props: Props) {
  const { element, url, name, source, picture, faces, style, selected, control, panning, helpId, dispatch } = props;
  const { draft, handlers } = useGestures({ faces, selected, picture, control, panning, dispatch });
  const drafted = draft && faceOf(draft, faces);
  const active = draft?.key;
  // A moving box has a layer of its own, so that the others are not painted again with each movement.
  const resting = useMemo(() => (active ? faces.filter(({ key }) => key !== active) : faces), [faces, active]);
  const moving = useMemo(() => (drafted ? [drafted] : []), [drafted]);
  const { scale, x, y } = control.view;
  const marked = drafted ?? selected;
  return (
    <div
      ref={element}
      className={panning ? "editor-stage is-panning" : "editor-stage"}
      role="group"
      aria-label={texts.editor.stage(name)}
      aria-describedby={helpId}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the keyboard moves and changes the boxes here
      tabIndex={0}
      {...handlers}
    >
      <div
        className="editor-picture"
        style={{
          width: picture.width * scale,
          height: picture.height * scale,
          transform: `translate(${x}px, ${y}px)`,
        }}
      >
        <img src={url} alt={texts.card.before(name)} draggable={false} />
        <PaintLayer faces={resting} style={style} source={source} picture={picture} />
        {drafted && <PaintLayer faces={moving} style={style} source={source} picture={picture} />}
        <Outlines faces={resting} picture={picture} />
        {marked && <Selection face={marked} picture={picture} away={ROLL_HANDLE / scale} radius={HANDLE / scale} />}
      </div>
    </div>
  );
}

function faceOf(draft: Draft, faces: readonly Face[]): Face {
  const face = faces.find(({ key }) => key === draft.key);
  return face ? { ...face, place: draft.place } : { ...draft, hidden: true };
}
