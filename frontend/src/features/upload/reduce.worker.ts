import type { Size } from "./photo-size";

/** What the worker is asked to do: reduce this file to at most so many pixels. */
export type Task = { file: Blob; pixels: number };
/** The reduced photo, or null if this browser could not reduce it. */
export type Outcome = ({ blob: Blob } & Size) | null;

const QUALITY = 0.92;

async function reduce({ file, pixels }: Task): Promise<Outcome> {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, Math.sqrt(pixels / (bitmap.width * bitmap.height)));
  const width = Math.max(1, Math.floor(bitmap.width * scale));
  const height = Math.max(1, Math.floor(bitmap.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.fillStyle = "white"; // behind transparent pixels
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { blob: await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY }), width, height };
}

self.onmessage = ({ data }: MessageEvent<Task>) => {
  reduce(data).then(
    (outcome) => self.postMessage(outcome),
    () => self.postMessage(null),
  );
};
