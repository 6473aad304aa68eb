import { useEffect, useRef, useState } from "react";
import face from "./face.svg";
import type { Choices } from "../../jobs/choices";
import { paintPreview } from "./paint-preview";

const PIXELS = 160;

type Props = Pick<Choices, "style" | "shape" | "padding" | "strength" | "colour">;

/** A drawn face, hidden in one style. */
export function StylePreview({ style, shape, padding, strength, colour }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useDrawing();
  useEffect(() => {
    if (drawing && canvas.current) paintPreview(canvas.current, drawing, { style, shape, padding, strength, colour });
  }, [drawing, style, shape, padding, strength, colour]);
  return <canvas ref={canvas} width={PIXELS} height={PIXELS} aria-hidden="true" />;
}

function useDrawing(): HTMLImageElement | undefined {
  const [drawing, setDrawing] = useState<HTMLImageElement>();
  useEffect(() => {
    const image = new Image();
    image.onload = () => setDrawing(image);
    image.src = face;
    return () => {
      image.onload = null;
    };
  }, []);
  return drawing;
}
