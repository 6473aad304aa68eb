import { texts } from "../../texts";
import { stem } from "../photos/photo";

const EXTENSIONS: Record<string, string> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/avif": "avif",
  "image/tiff": "tif",
  "image/bmp": "bmp",
};

/** The name of a result's download: that of the photo, with a word added and the extension of its format. */
export function fileName(photoName: string, contentType: string): string {
  return texts.result.fileName(stem(photoName), EXTENSIONS[contentType] ?? "jpg");
}

/** The format of a result as people call it. */
export const formatName = (contentType: string) => (contentType.split("/")[1] ?? contentType).toUpperCase();

/** Names in which none occurs twice: a second a.jpg becomes a-2.jpg. */
export function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const dot = name.lastIndexOf(".");
    let free = name;
    for (let count = 2; taken.has(free); count += 1) free = `${name.slice(0, dot)}-${count}${name.slice(dot)}`;
    taken.add(free);
    return free;
  });
}
