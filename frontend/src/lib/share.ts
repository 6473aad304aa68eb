/** Whether this is a phone or tablet whose share sheet takes photos. */
export function canShare(files: readonly File[]): boolean {
  if (!window.matchMedia("(pointer: coarse)").matches) return false;
  // Older browsers lack the function, although its type is not optional.
  return "canShare" in navigator && navigator.canShare({ files: [...files] });
}

/** Opens the share sheet. Throws if the device does not share the files. Closing the sheet is not an error. */
export async function share(files: readonly File[]): Promise<void> {
  try {
    await navigator.share({ files: [...files] });
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
  }
}
