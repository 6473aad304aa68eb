import type { Choices } from "../../jobs/choices";

/** The face's bounding box in the drawing, in fractions of the drawing. */
const FACE = { left: 0.33, top: 0.29, width: 0.34, height: 0.42 };

/** The number of cells along the longer side of a hidden region, as on the server. */
const cellsAt = (strength: number) => 4 - strength;

/** The exponents n of the round outlines |x|ⁿ + |y|ⁿ = 1, as on the server. */
const ORDERS = { ellipse: 2, rounded: 6 };

type Appearance = Pick<Choices, "style" | "shape" | "padding" | "strength" | "colour">;
type Rectangle = { left: number; top: number; width: number; height: number };

/** Draws the sample face on a square canvas and hides it as the choices say. */
export function paintPreview(canvas: HTMLCanvasElement, drawing: CanvasImageSource, appearance: Appearance): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const size = canvas.width;
  context.drawImage(drawing, 0, 0, size, size);
  const paddedBox = {
    left: (FACE.left - appearance.padding * FACE.width) * size,
    top: (FACE.top - appearance.padding * FACE.height) * size,
    width: (1 + 2 * appearance.padding) * FACE.width * size,
    height: (1 + 2 * appearance.padding) * FACE.height * size,
  };
  const visible = clipToSquare(size, paddedBox);
  const paint = cellsOf(canvas, appearance, visible);
  context.save();
  context.clip(outline(appearance.shape, paddedBox));
  context.imageSmoothingEnabled = appearance.style === "blur";
  context.imageSmoothingQuality = "high";
  context.drawImage(paint, visible.left, visible.top, visible.width, visible.height);
  context.restore();
}

/** The part of a rectangle that lies on a square canvas of this size. */
function clipToSquare(size: number, rectangle: Rectangle): Rectangle {
  const left = Math.max(0, rectangle.left);
  const top = Math.max(0, rectangle.top);
  return {
    left,
    top,
    width: Math.min(size, rectangle.left + rectangle.width) - left,
    height: Math.min(size, rectangle.top + rectangle.height) - top,
  };
}

/** A tiny canvas that holds the average colours, or the plain colour, of a region. */
function cellsOf(
  source: HTMLCanvasElement,
  appearance: Appearance,
  { left, top, width, height }: Rectangle,
): HTMLCanvasElement {
  const cells = document.createElement("canvas");
  const longest = cellsAt(appearance.strength);
  cells.width = Math.max(1, Math.round((longest * width) / Math.max(width, height)));
  cells.height = Math.max(1, Math.round((longest * height) / Math.max(width, height)));
  const context = cells.getContext("2d");
  if (!context) return cells;
  if (appearance.style === "solid") {
    context.fillStyle = appearance.colour;
    context.fillRect(0, 0, cells.width, cells.height);
    return cells;
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(source, left, top, width, height, 0, 0, cells.width, cells.height);
  return cells;
}

/** The outline of a shape that fills a rectangle. */
function outline(shape: Appearance["shape"], { left, top, width, height }: Rectangle): Path2D {
  const path = new Path2D();
  if (shape === "box") {
    path.rect(left, top, width, height);
    return path;
  }
  const coordinate = (value: number) => Math.sign(value) * Math.abs(value) ** (2 / ORDERS[shape]);
  for (let step = 0; step < 120; step += 1) {
    const angle = (step / 120) * 2 * Math.PI;
    path.lineTo(
      left + (width / 2) * (1 + coordinate(Math.cos(angle))),
      top + (height / 2) * (1 + coordinate(Math.sin(angle))),
    );
  }
  path.closePath();
  return path;
}
