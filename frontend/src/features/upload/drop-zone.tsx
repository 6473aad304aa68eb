import { Camera, ImagePlus } from "lucide-react";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { useDropzone } from "react-dropzone";
import { texts } from "../../texts";

type Props = { onFiles: (files: File[]) => void };

/** Takes photos that are dropped, chosen, pasted, or made with the camera of a phone. */
export function DropZone({ onFiles }: Props) {
  const camera = useRef<HTMLInputElement>(null);
  const { getRootProps, getInputProps, isDragActive, open } = useDropzone({
    onDrop: (files) => files.length > 0 && onFiles(files),
    noKeyboard: true, // the button inside is for the keyboard
    noClick: true,
    useFsAccessApi: false,
  });
  const touch = useTouch();
  usePaste(onFiles);
  const stop = (event: { stopPropagation: () => void }) => event.stopPropagation();
  return (
    <section aria-labelledby="add" className="panel-box">
      <h2 className="is-sr-only" id="add">
        {texts.drop.heading}
      </h2>
      <div {...getRootProps({ className: isDragActive ? "drop is-over" : "drop", role: "presentation" })}>
        <input
          {...getInputProps({ accept: "image/*,.heic,.heif,.avif,.tif,.tiff", "aria-label": texts.drop.choose })}
        />
        <ImagePlus className="drop-icon" aria-hidden="true" />
        <p className="drop-invite">
          {isDragActive ? texts.drop.release : touch ? texts.drop.inviteTouch : texts.drop.invite}
        </p>
        <div className="buttons is-centered">
          <button type="button" className="button is-primary is-medium" onClick={open}>
            {texts.drop.choose}
          </button>
          {touch && (
            <button type="button" className="button is-medium" onClick={() => camera.current?.click()}>
              <Camera aria-hidden="true" />
              <span>{texts.drop.camera}</span>
            </button>
          )}
        </div>
        <input
          ref={camera}
          type="file"
          accept="image/*"
          capture="environment"
          hidden
          aria-label={texts.drop.camera}
          onClick={stop}
          onChange={(event) => {
            onFiles([...(event.target.files ?? [])]);
            event.target.value = "";
          }}
        />
        <p className="note">{texts.drop.formats}</p>
      </div>
    </section>
  );
}

/** Photos that are pasted anywhere on the page. */
function usePaste(onFiles: (files: File[]) => void) {
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length > 0) onFiles(files);
    };
    document.addEventListener("paste", paste);
    return () => document.removeEventListener("paste", paste);
  }, [onFiles]);
}

const coarse = () => window.matchMedia("(pointer: coarse)");

/** Whether this is a device for fingers, which has a camera rather than a desktop to drag from. */
function useTouch(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = coarse();
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => coarse().matches,
  );
}
