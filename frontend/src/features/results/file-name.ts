import { totalOf, type CompletedJob } from "../../jobs/job";

const EXTENSIONS: Record<string, string> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/avif": "avif",
  "image/tiff": "tif",
  "image/bmp": "bmp",
};

/** A file name without its extension. */
export const stem = (name: string) => name.replace(/\.[^.]*$/, "") || name;

/** The default suffix of the photo's name. */
export const DEFAULT_SUFFIX = "-blurred";

/** The suffix for a photo in which nothing is hidden. The person cannot change it. */
const NOTHING_HIDDEN = "-nothing-hidden";

const MAX_SUFFIX = 40;

/** A suffix without the characters that a file name may not have on some system. */
export const cleanSuffix = (text: string) => text.replace(/[\\/:*?"<>|\p{Cc}]/gu, "").slice(0, MAX_SUFFIX);

/** The file name of a downloaded result: the photo's name with a suffix, and the extension of the result's format. */
export function fileName(photoName: string, { hidden, result }: CompletedJob, suffix: string): string {
  const extension = EXTENSIONS[result.content_type] ?? "jpg";
  return `${stem(photoName)}${totalOf(hidden) === 0 ? NOTHING_HIDDEN : suffix}.${extension}`;
}

/** The usual name of a format. */
export const formatName = (contentType: string) => (contentType.split("/")[1] ?? contentType).toUpperCase();

/** The same names, each made unique: a second a.jpg, or A.jpg, becomes a-2.jpg. */
export function uniqueNames(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    const dot = name.lastIndexOf(".");
    let unique = name;
    for (let count = 2; used.has(unique.toLowerCase()); count += 1)
      unique = `${name.slice(0, dot)}-${count}${name.slice(dot)}`;
    used.add(unique.toLowerCase());
    return unique;
  });
}
