import { Refused } from "../../api/failure";
import { texts } from "../../texts";
import type { Limits } from "./check-photo";
import type { Size } from "./photo-size";
import type { Outcome, Task } from "./reduce.worker";

/**
 * Reduces a photo, in a worker, to an upright JPEG within the limits and without metadata. It keeps as many pixels as the
 * limits allow. Throws Refused.
 */
export async function reducePhoto(file: Blob, limits: Limits, signal: AbortSignal): Promise<{ blob: Blob } & Size> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./reduce.worker.ts", import.meta.url), { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      const fail = () => reject(new Refused("CannotReduce", texts.failures.notReduced));
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      worker.onerror = fail;
      worker.onmessage = ({ data }: MessageEvent<Outcome>) => (data ? resolve(data) : fail());
      worker.postMessage({ file, limits } satisfies Task);
    });
  } finally {
    worker.terminate();
  }
}
