import { paintPlace, type Paint } from "../../lib/paint";

/** The face's bounding box in the drawing, in fractions of the drawing. */
const FACE = { left: 0.33, top: 0.29, width: 0.34, height: 0.42, roll: 0, turned: false };

/** Draws the sample face on a square canvas, and hides it with the chosen options. */
export function paintPreview(canvas: HTMLCanvasElement, drawing: CanvasImageSource, paint: Paint): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const size = { width: canvas.width, height: canvas.height };
  const photo = document.createElement("canvas");
  Object.assign(photo, size);
  photo.getContext("2d")?.drawImage(drawing, 0, 0, size.width, size.height);
  context.drawImage(photo, 0, 0);
  paintPlace(context, { picture: photo, size }, FACE, paint, "face");
}
