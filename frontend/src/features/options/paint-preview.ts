import type { Choices } from "./options";

/** Where the face is in the drawing, in fractions. */
const FACE = { left: 0.33, top: 0.29, width: 0.34, height: 0.42 };

/** To how many cells along its longer side a hidden region is averaged at this strength, as the server does it. */
const cellsAt = (strength: number) => 4 - strength;

/** Room above a face, as a multiple of that on the other sides, as on the server. */
const HAIR = 2;

type Look = Pick<Choices, "style" | "shape" | "padding" | "strength" | "colour">;

/** Paints a drawing of a face onto a square canvas, hidden as the choices say. */
export function paintPreview(canvas: HTMLCanvasElement, drawing: CanvasImageSource, look: Look): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const size = canvas.width;
  context.drawImage(drawing, 0, 0, size, size);
  const left = (FACE.left - look.padding * FACE.width) * size;
  const top = (FACE.top - HAIR * look.padding * FACE.height) * size;
  const width = (1 + 2 * look.padding) * FACE.width * size;
  const height = (1 + (1 + HAIR) * look.padding) * FACE.height * size;
  const seen = {
    left: Math.max(0, left),
    top: Math.max(0, top),
    width: Math.min(size, left + width) - Math.max(0, left),
    height: Math.min(size, top + height) - Math.max(0, top),
  };
  const paint = cellsOf(canvas, look, seen);
  context.save();
  context.clip(outline(look.shape, left, top, width, height));
  context.imageSmoothingEnabled = look.style === "blur";
  context.imageSmoothingQuality = "high";
  context.drawImage(paint, seen.left, seen.top, seen.width, seen.height);
  context.restore();
}

type Rectangle = { left: number; top: number; width: number; height: number };

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

/** The rounded outline is a superellipse, |x|⁶ + |y|⁶ = 1, as on the server. */
function outline(shape: Look["shape"], left: number, top: number, width: number, height: number): Path2D {
  const path = new Path2D();
  if (shape === "box") {
    path.rect(left, top, width, height);
    return path;
  }
  const round = (part: number) => Math.sign(part) * Math.abs(part) ** (1 / 3);
  for (let step = 0; step < 120; step += 1) {
    const angle = (step / 120) * 2 * Math.PI;
    path.lineTo(left + (width / 2) * (1 + round(Math.cos(angle))), top + (height / 2) * (1 + round(Math.sin(angle))));
  }
  path.closePath();
  return path;
}
