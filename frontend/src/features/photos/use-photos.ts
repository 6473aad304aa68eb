import { createContext, useContext, useSyncExternalStore } from "react";
import { PhotoStore } from "./photo-store";

/** Gives the parts of the page their list of photos. */
export const PhotoStoreContext = createContext<PhotoStore>(new PhotoStore());

export const usePhotoStore = () => useContext(PhotoStoreContext);

export function usePhotos() {
  const store = usePhotoStore();
  return useSyncExternalStore(store.subscribe, store.snapshot);
}
