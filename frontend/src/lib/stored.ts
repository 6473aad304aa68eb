/** Reads JSON from the browser's storage. Null if there is none, or the storage cannot be used. */
export function readStored(storage: () => Storage, key: string): unknown {
  try {
    return JSON.parse(storage().getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** Writes JSON to the browser's storage, or removes the entry if the value is undefined. */
export function store(storage: () => Storage, key: string, value: unknown): void {
  try {
    if (value === undefined) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {
    // The storage is full or forbidden. The page works without it.
  }
}

export const local = () => window.localStorage;
export const session = () => window.sessionStorage;
