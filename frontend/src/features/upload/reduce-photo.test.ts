import { expect, test, vi } from "vitest";
import { photo } from "../../testing/files";
import { reducePhoto } from "./reduce-photo";

test("no worker starts for a photo that is already cancelled", async () => {
  const worker = vi.fn();
  vi.stubGlobal("Worker", worker);
  await expect(reducePhoto(photo(), { bytes: 1, pixels: 1 }, AbortSignal.abort())).rejects.toMatchObject({
    name: "AbortError",
  });
  expect(worker).not.toHaveBeenCalled();
});
