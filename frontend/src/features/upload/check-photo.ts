import { Refused } from "../../api/failure";
import { MAX_BYTES, MAX_PIXELS, MIN_SIDE, REDUCED_PIXELS } from "../../limits";
import { texts } from "../../texts";
import { sizeOf, type Size } from "./photo-size";

/** The size of an accepted photo, if the browser can tell, and whether the photo must be reduced before upload. */
export type Check = Partial<Size> & { mustReduce: boolean };

/**
 * Checks a file against the API's limits before upload. Throws Refused. What the browser cannot tell, for instance
 * whether a photo is damaged, is left to the API.
 */
export async function checkPhoto(file: Blob, reduce: boolean): Promise<Check> {
  if (file.size === 0) throw new Refused("CorruptImage", texts.failures.empty);
  if (!looksLikePhoto(new Uint8Array(await file.slice(0, 16).arrayBuffer()))) {
    throw new Refused("UnsupportedFormat", texts.failures.unsupported);
  }
  const size = await sizeOf(file);
  if (size && Math.min(size.width, size.height) < MIN_SIDE) {
    throw new Refused("ImageTooSmall", texts.failures.tooSmall);
  }
  const pixels = size ? size.width * size.height : 0;
  const tooLarge = file.size > MAX_BYTES || pixels > MAX_PIXELS;
  if (tooLarge && !size) throw new Refused("ImageTooLarge", texts.failures.tooLarge);
  return { ...size, mustReduce: tooLarge || (reduce && pixels > REDUCED_PIXELS) };
}

/** Whether a file starts like a format that the API accepts: JPEG, PNG, WebP, AVIF, HEIC, TIFF or BMP. */
export function looksLikePhoto(start: Uint8Array): boolean {
  const text = String.fromCharCode(...start);
  return (
    text.startsWith("\xff\xd8\xff") ||
    text.startsWith("\x89PNG\r\n\x1a\n") ||
    (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") ||
    text.slice(4, 8) === "ftyp" ||
    /^(II[*+]\0|MM\0[*+])/.test(text) ||
    text.startsWith("BM")
  );
}
