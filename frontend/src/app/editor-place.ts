/** Which photo the editor shows: one of this browser's list, or any job by its id alone. */
export type EditorPlace = { photo: string } | { job: string };

/** The place that the part of an address after `#` names, if it names one. */
export function editorPlace(hash: string): EditorPlace | undefined {
  const [, kind, id] = /^(photo|job)=([\w-]+)$/.exec(hash) ?? [];
  if (!id) return undefined;
  return kind === "photo" ? { photo: id } : { job: id };
}

/**
 * Puts the page without the editor into the browser's history, before the editor. Otherwise Back would leave the page if
 * somebody has opened it at an address with an editor.
 */
export function makeBackCloseTheEditor(): void {
  const { hash, pathname, search } = location;
  if (!editorPlace(hash.slice(1)) || history.state === OPENED) return;
  history.replaceState(null, "", pathname + search);
  history.pushState(OPENED, "", hash);
}

/** Marks the entries of the history that have the page without the editor before them. */
const OPENED = "editor";

export const openEditor = (photo: string) => location.assign(`#photo=${photo}`);

/** Shows another photo in the open editor. Back still closes the editor. */
export const showInEditor = (photo: string) => location.replace(`#photo=${photo}`);

/** Whether the browser is on its way back. Until it is there, the address still names the editor. */
let closing = false;

/** Closes the editor. Does nothing if none is open, because going back would then leave the page. */
export function closeEditor(): void {
  if (closing || !editorPlace(location.hash.slice(1))) return;
  closing = true;
  window.addEventListener("hashchange", () => (closing = false), { once: true });
  history.back();
}
