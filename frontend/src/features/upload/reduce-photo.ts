import { Refused } from "../../api/failure";
import { REDUCED_PIXELS } from "../../limits";
import { texts } from "../../texts";
import type { Size } from "./photo-size";
import type { Outcome, Task } from "./reduce.worker";

/** Reduces a photo, in a worker, to an upright JPEG of at most REDUCED_PIXELS without metadata. Throws Refused. */
export async function reducePhoto(file: Blob, signal: AbortSignal): Promise<{ blob: Blob } & Size> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./reduce.worker.ts", import.meta.url), { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      const fail = () => reject(new Refused("ImageTooLarge", texts.failures.notReduced));
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      worker.onerror = fail;
      worker.onmessage = ({ data }: MessageEvent<Outcome>) => (data ? resolve(data) : fail());
      worker.postMessage({ file, pixels: REDUCED_PIXELS } satisfies Task);
    });
  } finally {
    worker.terminate();
  }
}
