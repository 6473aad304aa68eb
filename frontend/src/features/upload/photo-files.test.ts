import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, test, vi } from "vitest";

beforeEach(() => vi.stubGlobal("indexedDB", new IDBFactory()));

/** The module as it is after loading the page. */
async function afterReload() {
  vi.resetModules();
  return import("./photo-files");
}

test("files survive a reload until they expire or are forgotten", async () => {
  const before = await afterReload();
  await before.keepFile("old", new Blob(["a"]), 1000);
  await before.keepFile("new", new Blob(["b"]), 3000);

  const after = await afterReload();
  await after.forgetExpiredFiles(2000);
  expect(await after.readFile("old")).toBeNull();
  expect(await after.readFile("new")).not.toBeNull();
  await after.forgetFile("new");
  expect(await (await afterReload()).readFile("new")).toBeNull();
});
