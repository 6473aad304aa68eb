import { Refused } from "../../lib/failure";
import { texts } from "../../texts";
import type { Size } from "./check-photo";
import type { Order, Outcome } from "./reduce.worker";

/** To how many pixels photos are reduced: far below the API's limits, and what every browser's canvas can hold. */
export const REDUCED_PIXELS = 16_000_000;

/** Reduces a photo to a JPEG of at most REDUCED_PIXELS, upright and without metadata, in a worker. */
export async function reducePhoto(file: Blob, signal: AbortSignal): Promise<{ blob: Blob } & Size> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./reduce.worker.ts", import.meta.url), { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      const failed = () => reject(new Refused("ImageTooLarge", texts.failures.notReduced));
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      worker.onerror = failed;
      worker.onmessage = ({ data }: MessageEvent<Outcome>) => (data ? resolve(data) : failed());
      worker.postMessage({ file, pixels: REDUCED_PIXELS } satisfies Order);
    });
  } finally {
    worker.terminate();
  }
}
