import "fake-indexeddb/auto";
import { expect, test, vi } from "vitest";

/** The module as a page that was just loaded has it. */
async function loaded() {
  vi.resetModules();
  return import("./photo-files");
}

test("files survive a reload until they expire", async () => {
  const before = await loaded();
  await before.keepFile("old", new Blob(["a"]), 1000);
  await before.keepFile("new", new Blob(["b"]), 3000);

  const after = await loaded();
  await after.forgetExpiredFiles(2000);
  expect(await after.readFile("old")).toBeNull();
  expect(await after.readFile("new")).not.toBeNull();
  await after.forgetFile("new");
  expect(await (await loaded()).readFile("new")).toBeNull();
});
