import { X, ZoomIn, ZoomOut } from "lucide-react";
import { useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { Dialog } from "../../components/dialog";
import { texts } from "../../texts";

const MAX_ZOOM = 8;

type Props = {
  name: string;
  before: string | undefined;
  after: string;
  /** Width of the picture divided by its height. */
  ratio: number;
  /** The boxes over the picture, if they are shown. */
  children: ReactNode;
  onClose: () => void;
};

/** The enlarged picture. It scrolls by touch, wheel or arrow keys. */
export default function ZoomDialog({ name, before, after, ratio, children, onClose }: Props) {
  const [zoom, setZoom] = useState(1);
  const [showBefore, setShowBefore] = useState(false);
  const view = useRef<HTMLDivElement>(null);
  const previousZoom = useRef(1);

  // Keep the centre of the view in the centre.
  useLayoutEffect(() => {
    const element = view.current;
    if (!element) return;
    const growth = zoom / previousZoom.current;
    previousZoom.current = zoom;
    element.scrollLeft = (element.scrollLeft + element.clientWidth / 2) * growth - element.clientWidth / 2;
    element.scrollTop = (element.scrollTop + element.clientHeight / 2) * growth - element.clientHeight / 2;
  }, [zoom]);

  const zoomTo = (next: number) => setZoom(Math.min(MAX_ZOOM, Math.max(1, next)));
  return (
    <Dialog title={texts.zoom.title(name)} className="zoom" onClose={onClose}>
      <div className="zoom-tools">
        <button type="button" className="button" onClick={() => zoomTo(zoom - 1)} disabled={zoom <= 1}>
          <ZoomOut aria-hidden="true" />
          <span className="is-sr-only">{texts.zoom.out}</span>
        </button>
        <input
          type="range"
          aria-label={texts.zoom.level}
          min={1}
          max={MAX_ZOOM}
          step={0.5}
          value={zoom}
          onChange={(event) => zoomTo(Number(event.target.value))}
        />
        <button type="button" className="button" onClick={() => zoomTo(zoom + 1)} disabled={zoom >= MAX_ZOOM}>
          <ZoomIn aria-hidden="true" />
          <span className="is-sr-only">{texts.zoom.in}</span>
        </button>
        {before && (
          <button type="button" className="button" aria-pressed={showBefore} onClick={() => setShowBefore(!showBefore)}>
            {texts.zoom.showBefore}
          </button>
        )}
        <button type="button" className="button zoom-close" onClick={onClose}>
          <X aria-hidden="true" />
          <span>{texts.zoom.close}</span>
        </button>
      </div>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the keyboard must be able to scroll it */}
      <div className="zoom-view" ref={view} role="region" aria-label={texts.zoom.region} tabIndex={0}>
        <div className="zoom-canvas" style={{ width: `${zoom * 100}%`, height: `${zoom * 100}%` }}>
          <div className="zoom-picture" style={{ "--ratio": ratio }}>
            <img
              src={showBefore && before ? before : after}
              alt={showBefore ? texts.card.before(name) : texts.result.afterAlt(name)}
            />
            {children}
          </div>
        </div>
      </div>
    </Dialog>
  );
}
