import { useSyncExternalStore } from "react";

function subscribe(listener: () => void) {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

/** The part of the page's address after `#`. */
export const useHash = () => useSyncExternalStore(subscribe, () => location.hash.slice(1));
