import { useMemo, type Dispatch, type RefObject } from "react";
import type { Region } from "../../jobs/decision";
import type { Appearance, Kind } from "../../jobs/job";
import type { Size } from "../../lib/geometry";
import type { Source } from "../../lib/paint";
import { texts } from "../../texts";
import type { Action } from "./editing";
import { KindLabels, Outlines, Selection } from "./outlines";
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
  regions: readonly Region[];
  style: Appearance;
  selected: Region | undefined;
  control: ViewControl;
  panning: boolean;
  /** The kind of the box that is drawn. */
  drawAs: Kind;
  /** Id of the text that explains the keys. */
  helpId: string;
  dispatch: Dispatch<Action>;
};

/** The photo with the boxes of its regions, and with the paint that will hide them. */
export function Stage(props: Props) {
  const { element, url, name, source, picture, regions, style, selected, control, panning, drawAs, helpId, dispatch } =
    props;
  const { draft, handlers } = useGestures({ regions, selected, picture, control, panning, dispatch });
  const drafted = draft && regionOf(draft, regions, drawAs);
  const active = draft?.key;
  // A moving box has a layer of its own, so that the others are not painted again with each movement.
  const resting = useMemo(() => (active ? regions.filter(({ key }) => key !== active) : regions), [regions, active]);
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
        <PaintLayer regions={resting} style={style} source={source} picture={picture} />
        {drafted && <PaintLayer regions={moving} style={style} source={source} picture={picture} />}
        <Outlines regions={resting} picture={picture} />
        <KindLabels regions={regions} picture={picture} />
        {marked && <Selection region={marked} picture={picture} away={ROLL_HANDLE / scale} radius={HANDLE / scale} />}
      </div>
    </div>
  );
}

function regionOf(draft: Draft, regions: readonly Region[], drawAs: Kind): Region {
  const region = regions.find(({ key }) => key === draft.key);
  return region ? { ...region, place: draft.place } : { ...draft, kind: drawAs, hidden: true };
}
