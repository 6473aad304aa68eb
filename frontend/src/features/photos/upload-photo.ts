import { offline, Refused } from "../../lib/failure";
import { texts } from "../../texts";
import type { CreatedJob } from "../jobs/job";

/** For how long an upload may stand still, in milliseconds. */
const STANDSTILL = 60_000;

/** Posts a photo with its form straight to the storage, telling the fraction that is sent; raises Refused. */
export function uploadPhoto(
  { url, fields }: CreatedJob["upload"],
  file: Blob,
  tell: (fraction: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const form = new FormData();
  Object.entries(fields).forEach(([name, value]) => form.append(name, value));
  form.append("file", file, "photo"); // the last one, and the person's name for it stays here
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = (reason: Error) => {
      reject(reason);
      request.abort();
    };
    const abort = () => stop(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    let standstill: ReturnType<typeof setTimeout>;
    const goesOn = () => {
      clearTimeout(standstill);
      standstill = setTimeout(() => stop(offline()), STANDSTILL);
    };
    request.upload.onprogress = ({ loaded, total }) => {
      goesOn();
      tell(total > 0 ? loaded / total : 0);
    };
    request.onload = () => (request.status < 300 ? resolve() : reject(refusal(request.responseText)));
    request.onerror = () => reject(offline());
    request.onloadend = () => {
      clearTimeout(standstill);
      signal.removeEventListener("abort", abort);
    };
    request.open("POST", url);
    request.send(form);
    goesOn();
  });
}

/** What the storage's refusal, an XML text, means to a person. */
export function refusal(answer: string): Refused {
  if (answer.includes("EntityTooLarge")) return new Refused("ImageTooLarge", texts.failures.refusedTooLarge);
  if (/expired/i.test(answer)) return new Refused("UploadExpired", texts.failures.formExpired);
  return new Refused("StorageUnavailable", texts.failures.uploadRefused);
}
