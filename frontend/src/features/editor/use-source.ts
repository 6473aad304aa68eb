import { useEffect, useState } from "react";
import type { Source } from "../../lib/paint";

/** The most pixels along a side of the copy from which the paint takes its colours. A small copy is fast to average. */
const MAX_SIDE = 1024;

/** A small copy of a photo for the paint, and the photo's own size in pixels. */
export type Loaded = { source: Source; width: number; height: number };

/** Loads a photo. Null if the browser cannot show it; undefined until that is known. */
export function useSource(url: string | undefined): Loaded | null | undefined {
  const [loaded, setLoaded] = useState<{ url: string; photo: Loaded | null }>();
  useEffect(() => {
    if (!url) return;
    const image = new Image();
    image.onload = () => setLoaded({ url, photo: copyOf(image) });
    image.onerror = () => setLoaded({ url, photo: null });
    image.src = url;
    return () => {
      image.onload = image.onerror = null;
    };
  }, [url]);
  return loaded?.url === url ? loaded?.photo : undefined;
}

function copyOf(image: HTMLImageElement): Loaded {
  const { naturalWidth: width, naturalHeight: height } = image;
  const shrink = Math.min(1, MAX_SIDE / Math.max(width, height));
  const picture = document.createElement("canvas");
  picture.width = Math.max(1, Math.round(width * shrink));
  picture.height = Math.max(1, Math.round(height * shrink));
  const context = picture.getContext("2d");
  if (context) context.imageSmoothingQuality = "high";
  context?.drawImage(image, 0, 0, picture.width, picture.height);
  return { source: { picture, size: { width: picture.width, height: picture.height } }, width, height };
}
