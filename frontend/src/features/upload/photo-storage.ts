import { local, readStored, session, store } from "../../lib/stored";
import { isIdle, jobsOf, type Photo } from "./photo";

/** Each photo is stored under its own key, so that two tabs do not overwrite each other's photos. */
const PREFIX = "faceblur.photo.";

/**
 * Stores a photo. The browser's local storage keeps what has a job, so that the job can be erased after this tab was
 * closed. Only this tab's session storage keeps what is still to be uploaded, or two tabs would upload it. Other tabs see
 * an unfinished upload as cancelled.
 */
export function keepPhoto(photo: Photo): void {
  const forOtherTabs: Photo = isIdle(photo) ? photo : { ...photo, stage: "cancelled" };
  store(session, PREFIX + photo.id, photo.stage === "sent" ? undefined : photo);
  store(local, PREFIX + photo.id, jobsOf(photo).length > 0 ? forOtherTabs : undefined);
}

export function forgetPhoto(id: string): void {
  store(local, PREFIX + id, undefined);
  store(session, PREFIX + id, undefined);
}

/** The stored photos, newest first. Forgets those that have expired. */
export function readPhotos(now: number): Photo[] {
  const stored = [local, session].flatMap((storage) =>
    keysOf(storage).map((key) => readStored(storage, key) as Photo | null),
  );
  // The session's entry comes later and replaces the local one: this tab knows more of its own photos.
  const byId = new Map(stored.map((photo) => [photo?.id, photo]));
  const photos = [...byId.values()].filter((photo): photo is Photo => typeof photo?.id === "string");
  photos.filter((photo) => !(photo.forgetAt > now)).forEach((photo) => forgetPhoto(photo.id));
  return photos.filter((photo) => photo.forgetAt > now).sort((one, other) => other.forgetAt - one.forgetAt);
}

function keysOf(storage: () => Storage): string[] {
  try {
    return Object.keys(storage()).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}
