import { expect, test, vi } from "vitest";
import { fit } from "./fit";
import type { Size } from "./photo-size";

const LIMITS = { bytes: 35_000_000, pixels: 100_000_000 };

/** A blob that claims this size in bytes. */
function ofSize(bytes: number): Blob {
  const blob = new Blob();
  Object.defineProperty(blob, "size", { value: bytes });
  return blob;
}

/** An encoder that needs so many bytes for each pixel, and can draw so many pixels. */
const encoder = (bytesPerPixel: number, most = Infinity) =>
  vi.fn(({ width, height }: Size) =>
    Promise.resolve(width * height > most ? null : ofSize(width * height * bytesPerPixel)),
  );

test("a photo that only has too many bytes keeps its pixels", async () => {
  expect(await fit({ width: 8000, height: 6000 }, LIMITS, encoder(0.5))).toMatchObject({ width: 8000, height: 6000 });
});

test("a photo with too many pixels keeps as many as are allowed, and its ratio", async () => {
  const { width, height } = (await fit({ width: 20_000, height: 10_000 }, LIMITS, encoder(0.1)))!;
  expect(width / height).toBeCloseTo(2, 3);
  expect(width * height).toBeLessThanOrEqual(100_000_000);
  expect(width * height).toBeGreaterThan(99_900_000);
});

test("a file that is still too large is reduced a little further, not more than needed", async () => {
  const encode = encoder(1);
  const fitted = (await fit({ width: 8000, height: 6000 }, LIMITS, encode))!;
  expect(fitted.blob.size).toBeLessThanOrEqual(LIMITS.bytes);
  expect(fitted.blob.size).toBeGreaterThan(0.9 * LIMITS.bytes);
  expect(encode).toHaveBeenCalledTimes(2);
});

test("if the browser cannot draw so many pixels, it draws half as many", async () => {
  const { width, height } = (await fit({ width: 8000, height: 6000 }, LIMITS, encoder(0.1, 16_700_000)))!;
  expect(width * height).toBeGreaterThan(11_900_000);
  expect(width * height).toBeLessThanOrEqual(16_700_000);
});

test("a browser that fails at every size gives nothing", async () => {
  const fails = () => Promise.reject(new Error("out of memory"));
  expect(await fit({ width: 8000, height: 6000 }, LIMITS, fails)).toBeNull();
});
