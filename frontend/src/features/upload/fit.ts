import type { Limits } from "./check-photo";
import type { Size } from "./photo-size";

/** With fewer pixels, a photo is too coarse to find faces in it. */
const FEWEST_PIXELS = 1_000_000;

/**
 * Encodes a picture with as many pixels as the limits allow. Starts with all pixels that are allowed, and takes fewer while
 * the file is too large or the browser cannot draw them. Null if the browser cannot draw even a few.
 */
export async function fit(
  { width, height }: Size,
  limits: Limits,
  encode: (size: Size) => Promise<Blob | null>,
): Promise<({ blob: Blob } & Size) | null> {
  let pixels = Math.min(width * height, limits.pixels);
  do {
    const size = scaled({ width, height }, pixels);
    const blob = await encode(size).catch(() => null);
    if (blob && blob.size <= limits.bytes) return { blob, ...size };
    // The size of a file shrinks a little less than its number of pixels.
    pixels *= blob ? 0.95 * (limits.bytes / blob.size) : 0.5;
  } while (pixels >= FEWEST_PIXELS);
  return null;
}

/** The size of a picture with the same ratio and at most this many pixels. */
function scaled({ width, height }: Size, pixels: number): Size {
  const scale = Math.min(1, Math.sqrt(pixels / (width * height)));
  return { width: Math.max(1, Math.floor(width * scale)), height: Math.max(1, Math.floor(height * scale)) };
}
