import { createContext, useContext, useSyncExternalStore } from "react";
import { PhotoStore } from "./photo-store";

/** The list of photos, for every component of the page. */
export const PhotoStoreContext = createContext<PhotoStore>(new PhotoStore());

export const usePhotoStore = () => useContext(PhotoStoreContext);

export function usePhotos() {
  const store = usePhotoStore();
  return useSyncExternalStore(store.subscribe, store.snapshot);
}
