import { local, readStored, session, store } from "../../lib/stored";
import type { Photo } from "./photo";

/** Under this name and its id each photo is kept on its own, so that two tabs do not overwrite each other. */
const PREFIX = "faceblur.photo.";

/** Jobs are remembered by the browser; what is still to be uploaded only by this tab, or two would upload it. */
export function keepPhoto(photo: Photo): void {
  const [here, there] = photo.stage === "sent" ? [local, session] : [session, local];
  store(here, PREFIX + photo.id, photo);
  store(there, PREFIX + photo.id, undefined);
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
  const known = photos.filter((photo): photo is Photo => typeof photo?.id === "string");
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
