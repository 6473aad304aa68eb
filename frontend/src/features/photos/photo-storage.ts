import { local, readStored, session, store } from "../../lib/stored";
import { isResting, jobsOf, type Photo } from "./photo";

/** Under this name and its id each photo is kept on its own, so that two tabs do not overwrite each other. */
const PREFIX = "faceblur.photo.";

/**
 * Jobs are remembered by the browser, so that they can be erased after this tab was closed; what is still to be
 * uploaded only by this tab, or two would upload it. To other tabs an upload under way is one that was cancelled.
 */
export function keepPhoto(photo: Photo): void {
  const resting: Photo = isResting(photo) ? photo : { ...photo, stage: "cancelled" };
  store(session, PREFIX + photo.id, photo.stage === "sent" ? undefined : photo);
  store(local, PREFIX + photo.id, jobsOf(photo).length > 0 ? resting : undefined);
}

export function forgetPhoto(id: string): void {
  store(local, PREFIX + id, undefined);
  store(session, PREFIX + id, undefined);
}

/** The remembered photos, the newest first; those that have expired are forgotten. */
export function readPhotos(now: number): Photo[] {
  const photos = [local, session].flatMap((storage) =>
    keysOf(storage).map((key) => readStored(storage, key) as Photo | null),
  );
  // What this tab knows of a photo, the latter, counts more.
  const byId = new Map(photos.map((photo) => [photo?.id, photo]));
  const known = [...byId.values()].filter((photo): photo is Photo => typeof photo?.id === "string");
  known.filter((photo) => !(photo.forgetAt > now)).forEach((photo) => forgetPhoto(photo.id));
  return known.filter((photo) => photo.forgetAt > now).sort((one, other) => other.forgetAt - one.forgetAt);
}

function keysOf(storage: () => Storage): string[] {
  try {
    return Object.keys(storage()).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}
