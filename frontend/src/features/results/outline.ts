import type { Box } from "./receipt";

type Rectangle = Pick<Box, "left" | "top" | "width" | "height" | "turned" | "roll">;

/**
 * The outline of a box as data of an SVG path, in fractions of the picture.
 * @param ratio width of the picture divided by its height
 */
export function outline({ left, top, width, height, turned, roll }: Rectangle, ratio: number): string {
  if (!turned || roll === 0) return `M${left} ${top}h${width}v${height}h${-width}z`;
  const [x, y] = [left + width / 2, top + height / 2];
  const [sin, cos] = [Math.sin((roll * Math.PI) / 180), Math.cos((roll * Math.PI) / 180)];
  const corners = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ].map(([right, down]) => {
    // The unit of both axes is the picture's height, so that a rotation keeps lengths.
    const [across, along] = [(right! * width * ratio) / 2, (down! * height) / 2];
    return `${x + (across * cos - along * sin) / ratio} ${y + across * sin + along * cos}`;
  });
  return `M${corners.join("L")}z`;
}
