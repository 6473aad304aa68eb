import {
  boundsOf,
  clip,
  frameOf,
  fromFrame,
  headFrame,
  radians,
  type Frame,
  type Place,
  type Rectangle,
  type Size,
} from "./geometry";

/** How something is hidden, as in a job's options. */
export type Paint = {
  style: "blur" | "pixelate" | "solid";
  shape: "ellipse" | "rounded" | "box";
  padding: number;
  strength: number;
  colour: string;
};

/** The number of cells along the longer side of a hidden region, as on the server. */
const cellsAt = (strength: number) => 4 - strength;

/** The exponent n of the rounded outline |x|ⁿ + |y|ⁿ = 1, as on the server. */
const ROUNDED = 6;

/** The opacity of the server's outlines, and how far the server moves an oval down towards the chin. */
const OPAQUE_SHARE = 0.95;
const LOWERED = 0.5;

/** A place to hide. Letters reach into the corners, so plates and text are covered by boxes. */
export type Kind = "face" | "plate" | "text";

/** A picture that can be drawn, and its size in pixels. */
export type Source = { picture: CanvasImageSource; size: Size };

/**
 * Hides a place on a canvas as the server will, except for the noise and the soft edge. The colours come from `source`,
 * which shows the same photo at any size.
 */
export function paintPlace(
  context: CanvasRenderingContext2D,
  source: Source,
  place: Place,
  paint: Paint,
  kind: Kind,
): void {
  const size = context.canvas;
  const frame = paintedFrame(place, paint, kind, size);
  const visible = clip(boundsOf(frame), size);
  if (visible.width <= 0 || visible.height <= 0) return;
  context.save();
  context.clip(outline(kind === "face" ? paint.shape : "box", frame));
  if (paint.style === "solid") {
    context.fillStyle = paint.colour;
    context.fillRect(visible.left, visible.top, visible.width, visible.height);
  } else {
    context.imageSmoothingEnabled = paint.style === "blur";
    context.imageSmoothingQuality = "high";
    const cells = cellsOf(source, visible, size, paint.strength);
    context.drawImage(cells, visible.left, visible.top, visible.width, visible.height);
  }
  context.restore();
}

/** The frame that is painted for a place in a picture of this size: padded, and an oval turned like the head. */
export function paintedFrame(
  place: Place,
  { shape, padding }: Pick<Paint, "shape" | "padding">,
  kind: Kind,
  size: Size,
): Frame {
  if (kind !== "face") {
    const frame = frameOf(place, size);
    const margin = Math.max(2 * padding * frame.down, 1);
    return { ...frame, across: frame.across + margin, down: frame.down + margin };
  }
  const frame = shape === "ellipse" ? headFrame(place, size) : frameOf(place, size);
  const padded = { ...frame, across: frame.across * (1 + 2 * padding), down: frame.down * (1 + 2 * padding) };
  if (shape !== "ellipse" || place.turned) return padded;
  const lowered = LOWERED * (OPAQUE_SHARE * padded.down - frame.down);
  return { ...padded, ...fromFrame({ x: 0, y: lowered }, frame) };
}

/** A tiny canvas that holds the average colours of a region of the photo. */
function cellsOf({ picture, size }: Source, region: Rectangle, target: Size, strength: number): HTMLCanvasElement {
  const cells = document.createElement("canvas");
  const longest = cellsAt(strength);
  cells.width = Math.max(1, Math.round((longest * region.width) / Math.max(region.width, region.height)));
  cells.height = Math.max(1, Math.round((longest * region.height) / Math.max(region.width, region.height)));
  const context = cells.getContext("2d");
  if (!context) return cells;
  context.imageSmoothingQuality = "high";
  const [across, down] = [size.width / target.width, size.height / target.height];
  context.drawImage(
    picture,
    region.left * across,
    region.top * down,
    region.width * across,
    region.height * down,
    0,
    0,
    cells.width,
    cells.height,
  );
  return cells;
}

/** The outline of a shape that fills a frame. */
function outline(shape: Paint["shape"], frame: Frame): Path2D {
  const path = new Path2D();
  const lineTo = (x: number, y: number) => {
    const point = fromFrame({ x: x * frame.across, y: y * frame.down }, frame);
    path.lineTo(point.x, point.y);
  };
  if (shape === "ellipse") {
    path.ellipse(frame.x, frame.y, frame.across, frame.down, radians(frame.roll), 0, 2 * Math.PI);
    return path;
  }
  if (shape === "box") {
    lineTo(-1, -1);
    lineTo(1, -1);
    lineTo(1, 1);
    lineTo(-1, 1);
  } else {
    const coordinate = (value: number) => Math.sign(value) * Math.abs(value) ** (2 / ROUNDED);
    for (let step = 0; step < 120; step += 1) {
      const angle = (step / 120) * 2 * Math.PI;
      lineTo(coordinate(Math.cos(angle)), coordinate(Math.sin(angle)));
    }
  }
  path.closePath();
  return path;
}
