import { createStore, del, entries, get, set } from "idb-keyval";

/** The person's own files, kept in this browser so that uploads and comparisons survive a reload. */
type Kept = { file: Blob; forgetAt: number };

const recent = new Map<string, Blob>();
let opened: ReturnType<typeof createStore> | undefined;
const database = () => (opened ??= createStore("faceblur", "files"));

/** Keeps a file until then (in milliseconds), or for as long as the page lives if the browser has no room for it. */
export async function keepFile(id: string, file: Blob, forgetAt: number): Promise<void> {
  recent.set(id, file);
  await attempt(() => set(id, { file, forgetAt } satisfies Kept, database()));
}

export async function readFile(id: string): Promise<Blob | null> {
  return recent.get(id) ?? (await attempt(() => get<Kept>(id, database())))?.file ?? null;
}

export async function forgetFile(id: string): Promise<void> {
  recent.delete(id);
  await attempt(() => del(id, database()));
}

/** Forgets the files of photos that have expired, also of those that no list knows any more. */
export async function forgetExpiredFiles(now: number): Promise<void> {
  const all = (await attempt(() => entries<string, Kept>(database()))) ?? [];
  await Promise.all(all.filter(([, kept]) => kept.forgetAt <= now).map(([id]) => forgetFile(id)));
}

/** What the browser's database says, if it has one and it answers. */
async function attempt<Answer>(work: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
