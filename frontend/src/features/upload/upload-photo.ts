import { offline, Refused } from "../../api/failure";
import type { CreatedJob } from "../../jobs/job";
import { texts } from "../../texts";

/** An upload is given up after this many milliseconds without progress. */
const STALL_TIMEOUT = 60_000;

/** Posts a photo with its form to the storage and reports the fraction that is sent. Throws Refused. */
export function uploadPhoto(
  { url, fields }: Pick<CreatedJob["upload"], "url" | "fields">,
  file: Blob,
  onProgress: (fraction: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const form = new FormData();
  Object.entries(fields).forEach(([name, value]) => form.append(name, value));
  // The file must be the last field. The person's own file name is not sent.
  form.append("file", file, "photo");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = (reason: Error) => {
      reject(reason);
      request.abort();
    };
    const abort = () => stop(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    let stallTimer: ReturnType<typeof setTimeout>;
    const restartStallTimer = () => {
      clearTimeout(stallTimer);
      stallTimer = setTimeout(() => stop(offline()), STALL_TIMEOUT);
    };
    request.upload.onprogress = ({ loaded, total }) => {
      restartStallTimer();
      onProgress(total > 0 ? loaded / total : 0);
    };
    request.onload = () => (request.status < 300 ? resolve() : reject(refusal(request.responseText)));
    request.onerror = () => reject(offline());
    request.onloadend = () => {
      clearTimeout(stallTimer);
      signal.removeEventListener("abort", abort);
    };
    request.open("POST", url);
    request.send(form);
    restartStallTimer();
  });
}

/** The failure that the storage's XML answer describes. */
export function refusal(answer: string): Refused {
  if (answer.includes("EntityTooLarge")) return new Refused("ImageTooLarge", texts.failures.refusedTooLarge);
  if (/expired/i.test(answer)) return new Refused("UploadExpired", texts.failures.formExpired);
  return new Refused("StorageUnavailable", texts.failures.uploadRefused);
}
