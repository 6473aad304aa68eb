import type { Choices } from "./options";

/** Where a detector would see the face in the drawing, in fractions of it. */
const FACE = { left: 0.33, top: 0.29, width: 0.34, height: 0.42 };

/** To how many cells along its longer side a hidden region is averaged at this strength, as the server does it. */
const cellsAt = (strength: number) => 4 - strength;

/** The round outlines are |x|ⁿ + |y|ⁿ = 1 with these n, as on the server. With 2 it is an ellipse. */
const ORDERS = { ellipse: 2, rounded: 6 };

type Look = Pick<Choices, "style" | "shape" | "padding" | "strength" | "colour">;
type Rectangle = { left: number; top: number; width: number; height: number };

/** Paints a drawing of a face onto a square canvas, hidden as the choices say. */
export function paintPreview(canvas: HTMLCanvasElement, drawing: CanvasImageSource, look: Look): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const size = canvas.width;
  context.drawImage(drawing, 0, 0, size, size);
  const room = {
    left: (FACE.left - look.padding * FACE.width) * size,
    top: (FACE.top - look.padding * FACE.height) * size,
    width: (1 + 2 * look.padding) * FACE.width * size,
    height: (1 + 2 * look.padding) * FACE.height * size,
  };
  const seen = within(size, room);
  const paint = cellsOf(canvas, look, seen);
  context.save();
  context.clip(outline(look.shape, room));
  context.imageSmoothingEnabled = look.style === "blur";
  context.imageSmoothingQuality = "high";
  context.drawImage(paint, seen.left, seen.top, seen.width, seen.height);
  context.restore();
}

/** The part of a rectangle that a square canvas of this size shows. */
function within(size: number, rectangle: Rectangle): Rectangle {
  const left = Math.max(0, rectangle.left);
  const top = Math.max(0, rectangle.top);
  return {
    left,
    top,
    width: Math.min(size, rectangle.left + rectangle.width) - left,
    height: Math.min(size, rectangle.top + rectangle.height) - top,
  };
}

/** The few cells that are left of a region. */
function cellsOf(source: HTMLCanvasElement, look: Look, { left, top, width, height }: Rectangle): HTMLCanvasElement {
  const cells = document.createElement("canvas");
  const longest = cellsAt(look.strength);
  cells.width = Math.max(1, Math.round((longest * width) / Math.max(width, height)));
  cells.height = Math.max(1, Math.round((longest * height) / Math.max(width, height)));
  const context = cells.getContext("2d");
  if (!context) return cells;
  if (look.style === "solid") {
    context.fillStyle = look.colour;
    context.fillRect(0, 0, cells.width, cells.height);
    return cells;
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(source, left, top, width, height, 0, 0, cells.width, cells.height);
  return cells;
}

/** The outline of a shape in this rectangle. */
function outline(shape: Look["shape"], { left, top, width, height }: Rectangle): Path2D {
  const path = new Path2D();
  if (shape === "box") {
    path.rect(left, top, width, height);
    return path;
  }
  const along = (part: number) => Math.sign(part) * Math.abs(part) ** (2 / ORDERS[shape]);
  for (let step = 0; step < 120; step += 1) {
    const angle = (step / 120) * 2 * Math.PI;
    path.lineTo(left + (width / 2) * (1 + along(Math.cos(angle))), top + (height / 2) * (1 + along(Math.sin(angle))));
  }
  path.closePath();
  return path;
}
