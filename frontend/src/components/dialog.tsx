import { useId, useLayoutEffect, useRef, type ReactNode } from "react";

type Props = { title: string; className?: string; onClose: () => void; children: ReactNode };

/** A modal dialog, open while it is mounted. The browser keeps the focus inside and restores it afterwards. */
export function Dialog({ title, className = "", onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // Close it while it is still in the document, otherwise the browser does not restore the focus.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={`dialog ${className}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}
