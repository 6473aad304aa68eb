import { ChevronLeft, ChevronRight, X } from "lucide-react";
import type { ReactNode } from "react";
import { Dialog } from "../../components/dialog";
import { Announcer } from "../../lib/announcer";
import { texts } from "../../texts";
import "./editor.scss";

export type FrameProps = {
  name: string;
  /** The photo's position in the list, if there are several photos. */
  position?: { index: number; count: number } | undefined;
  onPrevious?: (() => void) | undefined;
  onNext?: (() => void) | undefined;
  onClose: () => void;
};

/** The window of the editor: the photo's name, and the buttons for other photos and for closing. */
export function EditorFrame({
  name,
  position,
  onPrevious,
  onNext,
  onClose,
  children,
}: FrameProps & { children: ReactNode }) {
  return (
    <Dialog title={texts.editor.title(name)} className="editor" onClose={onClose}>
      <div className="editor-head">
        {position && (
          <>
            <IconButton label={texts.editor.previous} onClick={onPrevious}>
              <ChevronLeft aria-hidden="true" />
            </IconButton>
            <span className="note">{texts.editor.position(position.index + 1, position.count)}</span>
            <IconButton label={texts.editor.next} onClick={onNext}>
              <ChevronRight aria-hidden="true" />
            </IconButton>
          </>
        )}
        <IconButton label={texts.editor.close} onClick={onClose}>
          <X aria-hidden="true" />
        </IconButton>
      </div>
      {children}
      {/* What is outside of a modal dialog is not read aloud. */}
      <Announcer />
    </Dialog>
  );
}

type IconButtonProps = { label: string; onClick: (() => void) | undefined; pressed?: boolean; children: ReactNode };

/** A button without a visible text. Without a handler it is disabled. */
export function IconButton({ label, onClick, pressed, children }: IconButtonProps) {
  return (
    <button
      type="button"
      className="button"
      title={label}
      aria-label={label}
      aria-pressed={pressed}
      disabled={!onClick}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
