/** Whether this is a phone or tablet whose share sheet takes photos. */
export function canShare(files: readonly File[]): boolean {
  if (!window.matchMedia("(pointer: coarse)").matches) return false;
  // Older browsers lack the function, whatever its type says.
  return "canShare" in navigator && navigator.canShare({ files: [...files] });
}

/** Opens the share sheet. Throws if the device does not share the files; to close the sheet is no error. */
export async function share(files: readonly File[]): Promise<void> {
  try {
    await navigator.share({ files: [...files] });
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
  }
}
