import { local, readStored, store } from "../../lib/stored";
import type { Photo } from "./photo";

/** Each photo is stored under its own key, so that two tabs do not overwrite each other's photos. */
const PREFIX = "faceblur.photo.";

/** Stores a photo in the browser's local storage, for this tab after a reload and for other tabs. */
export const keepPhoto = (photo: Photo): void => store(local, PREFIX + photo.id, photo);

export const forgetPhoto = (id: string): void => store(local, PREFIX + id, undefined);

/** The stored photo. Undefined if there is none. */
export function readPhoto(id: string): Photo | undefined {
  return asPhoto(readStored(local, PREFIX + id));
}

/** The stored photos. Forgets those that have expired. */
export function readPhotos(now: number): Photo[] {
  const photos = storedIds().flatMap((id) => readPhoto(id) ?? []);
  photos.filter((photo) => !(photo.forgetAt > now)).forEach((photo) => forgetPhoto(photo.id));
  return photos.filter((photo) => photo.forgetAt > now);
}

/** Calls this function with the id of each photo that another tab stores or removes. Returns a function that ends this. */
export function onOtherTabsChange(changed: (id: string) => void): () => void {
  const listener = ({ key }: StorageEvent) => {
    if (key?.startsWith(PREFIX)) changed(key.slice(PREFIX.length));
  };
  window.addEventListener("storage", listener);
  return () => window.removeEventListener("storage", listener);
}

function asPhoto(stored: unknown): Photo | undefined {
  const photo = stored as Photo | null;
  return typeof photo?.id === "string" ? photo : undefined;
}

function storedIds(): string[] {
  try {
    const keys = Object.keys(local()).filter((key) => key.startsWith(PREFIX));
    return keys.map((key) => key.slice(PREFIX.length));
  } catch {
    return [];
  }
}
