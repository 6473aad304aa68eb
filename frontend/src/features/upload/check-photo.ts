import { Refused } from "../../api/failure";
import { MAX_BYTES, MAX_PIXELS, MIN_SIDE, REDUCED_PIXELS } from "../../limits";
import { texts } from "../../texts";
import { sizeOf, type Size } from "./photo-size";

/** The most bytes and pixels of a photo. */
export type Limits = { bytes: number; pixels: number };

/** The size of an accepted photo, if the browser can tell, and the limits that it exceeds. */
export type Check = Partial<Size> & { mustReduce?: Limits };

/** The brands of HEIC and AVIF. Videos have the same beginning, with other brands. */
const BRANDS = ["heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "avif", "avis"];

/** The number of bytes that are read to recognise the format. The brands of HEIC and AVIF end before that. */
const START = 256;

/**
 * Checks a file against the API's limits before upload. Throws Refused. The API checks what the browser cannot check, for
 * instance whether a photo is damaged.
 */
export async function checkPhoto(file: Blob, reduce: boolean): Promise<Check> {
  if (file.size === 0) throw new Refused("CorruptImage", texts.failures.empty);
  if (!looksLikePhoto(new Uint8Array(await file.slice(0, START).arrayBuffer()))) {
    throw new Refused("UnsupportedFormat", texts.failures.unsupported);
  }
  const size = await sizeOf(file);
  if (size && Math.min(size.width, size.height) < MIN_SIDE) {
    throw new Refused("ImageTooSmall", texts.failures.tooSmall);
  }
  const limits = { bytes: MAX_BYTES, pixels: reduce ? REDUCED_PIXELS : MAX_PIXELS };
  if (file.size <= limits.bytes && (!size || size.width * size.height <= limits.pixels)) return { ...size };
  if (!size) throw new Refused("CannotReduce", texts.failures.tooLarge);
  return { ...size, mustReduce: limits };
}

/** Whether a file starts like a format that the API accepts: JPEG, PNG, WebP, AVIF, HEIC, TIFF or BMP. */
export function looksLikePhoto(start: Uint8Array): boolean {
  const text = String.fromCharCode(...start);
  return (
    text.startsWith("\xff\xd8\xff") ||
    text.startsWith("\x89PNG\r\n\x1a\n") ||
    (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") ||
    (text.slice(4, 8) === "ftyp" && brandsOf(start).some((brand) => BRANDS.includes(brand))) ||
    /^(II[*+]\0|MM\0[*+])/.test(text) ||
    text.startsWith("BM")
  );
}

/** The brands in the first box of a file like HEIC, AVIF or MP4: one format, then others that can read it. */
function brandsOf(start: Uint8Array): string[] {
  const length = new DataView(start.buffer, start.byteOffset).getUint32(0);
  const text = String.fromCharCode(...start.subarray(8, Math.min(length, START)));
  return text.match(/[^]{4}/g) ?? [];
}
