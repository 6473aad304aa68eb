import { texts } from "../../texts";

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

/** The file name of a downloaded result: the photo's name with a suffix, and the extension of the result's format. */
export function fileName(photoName: string, contentType: string): string {
  return texts.result.fileName(stem(photoName), EXTENSIONS[contentType] ?? "jpg");
}

/** The name that people use for a format. */
export const formatName = (contentType: string) => (contentType.split("/")[1] ?? contentType).toUpperCase();

/** The same names, each made unique: a second a.jpg becomes a-2.jpg. */
export function uniqueNames(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    const dot = name.lastIndexOf(".");
    let unique = name;
    for (let count = 2; used.has(unique); count += 1) unique = `${name.slice(0, dot)}-${count}${name.slice(dot)}`;
    used.add(unique);
    return unique;
  });
}
