import { fit } from "./fit";
import type { Limits } from "./check-photo";
import type { Size } from "./photo-size";

/** A request to the worker: reduce this file to these limits. */
export type Task = { file: Blob; limits: Limits };
/** The reduced photo, or null if this browser could not reduce it. */
export type Outcome = ({ blob: Blob } & Size) | null;

const QUALITY = 0.92;

async function reduce({ file, limits }: Task): Promise<Outcome> {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    return await fit(bitmap, limits, (size) => encode(bitmap, size));
  } finally {
    bitmap.close();
  }
}

/** The picture as JPEG of this size. Null if this browser cannot draw that many pixels. */
async function encode(bitmap: ImageBitmap, { width, height }: Size): Promise<Blob | null> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.fillStyle = "white"; // behind transparent pixels
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  // If a canvas is too large, some browsers leave it empty without an error. An empty photo would seem to have no faces.
  const drawn = context.getImageData(width - 1, height - 1, 1, 1).data[3] === 255;
  return drawn ? canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY }) : null;
}

self.onmessage = ({ data }: MessageEvent<Task>) => {
  reduce(data).then(
    (outcome) => self.postMessage(outcome),
    () => self.postMessage(null),
  );
};
