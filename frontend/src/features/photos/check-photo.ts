import { Refused } from "../../lib/failure";
import { MAX_BYTES, MAX_PIXELS, MIN_SIDE } from "../../limits";
import { texts } from "../../texts";
import { REDUCED_PIXELS } from "./reduce-photo";

export type Size = { width: number; height: number };
export type Checked = Partial<Size> & { mustReduce: boolean };

/**
 * Looks at a file before anything is uploaded, with the API's own limits; raises Refused. What the browser cannot
 * tell, such as whether a photo is damaged, is left to the API.
 */
export async function checkPhoto(file: Blob, reduce: boolean): Promise<Checked> {
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

/** Whether a file begins like a format that the API takes: JPEG, PNG, WebP, AVIF, HEIC, TIFF or BMP. */
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

/** Width and height in pixels as the photo is meant to be seen; undefined if the browser cannot read it. */
export async function sizeOf(file: Blob): Promise<Size | undefined> {
  const url = URL.createObjectURL(file);
  try {
    return await new Promise<Size | undefined>((resolve) => {
      const image = new Image();
      image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
      image.onerror = () => resolve(undefined);
      image.src = url;
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}
