import type { Size } from "./check-photo";

export type Order = { file: Blob; pixels: number };
export type Outcome = ({ blob: Blob } & Size) | null;

const QUALITY = 0.92;

async function reduce({ file, pixels }: Order): Promise<Outcome> {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, Math.sqrt(pixels / (bitmap.width * bitmap.height)));
  const width = Math.max(1, Math.floor(bitmap.width * scale));
  const height = Math.max(1, Math.floor(bitmap.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.fillStyle = "white"; // where the photo is transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { blob: await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY }), width, height };
}

self.onmessage = ({ data }: MessageEvent<Order>) => {
  reduce(data).then(
    (outcome) => self.postMessage(outcome),
    () => self.postMessage(null),
  );
};
