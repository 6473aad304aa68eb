/** Reads and writes JSON in the browser's storage; where there is none, nothing is kept. */
export function readStored(storage: () => Storage, key: string): unknown {
  try {
    return JSON.parse(storage().getItem(key) ?? "null");
  } catch {
    return null;
  }
}

export function store(storage: () => Storage, key: string, value: unknown): void {
  try {
    if (value === undefined) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: the page works without a memory.
  }
}

export const local = () => window.localStorage;
export const session = () => window.sessionStorage;
