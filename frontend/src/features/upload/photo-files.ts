import { createStore, del, entries, get, set } from "idb-keyval";

/** A photo's file. This browser keeps it so that uploads and comparisons survive a reload. */
type StoredFile = { file: Blob; forgetAt: number };

const inMemory = new Map<string, Blob>();
let opened: ReturnType<typeof createStore> | undefined;
const database = () => (opened ??= createStore("faceblur", "files"));

/** Keeps a file until this time (in milliseconds). If the browser cannot store it, keeps it until the page is closed. */
export async function keepFile(id: string, file: Blob, forgetAt: number): Promise<void> {
  inMemory.set(id, file);
  await ignoringErrors(() => set(id, { file, forgetAt } satisfies StoredFile, database()));
}

export async function readFile(id: string): Promise<Blob | null> {
  return inMemory.get(id) ?? (await ignoringErrors(() => get<StoredFile>(id, database())))?.file ?? null;
}

export async function forgetFile(id: string): Promise<void> {
  inMemory.delete(id);
  await ignoringErrors(() => del(id, database()));
}

/** Forgets all expired files, including those of photos that are no longer in any list. */
export async function forgetExpiredFiles(now: number): Promise<void> {
  const all = (await ignoringErrors(() => entries<string, StoredFile>(database()))) ?? [];
  await Promise.all(all.filter(([, stored]) => stored.forgetAt <= now).map(([id]) => forgetFile(id)));
}

/** The answer of the browser's database; undefined if it has none or the database fails. */
async function ignoringErrors<Answer>(work: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
