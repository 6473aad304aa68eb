import { expect, test } from "vitest";
import { MAX_BYTES } from "../../limits";
import { photo } from "../../testing/files";
import { FakeImage } from "../../testing/setup";
import { checkPhoto, looksLikePhoto } from "./check-photo";

const start = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** A file that claims this size in bytes. */
function ofSize(bytes: number): File {
  const file = photo();
  Object.defineProperty(file, "size", { value: bytes });
  return file;
}

test.each([
  ["JPEG", "\xff\xd8\xff\xe1"],
  ["PNG", "\x89PNG\r\n\x1a\n"],
  ["WebP", "RIFF\0\0\0\0WEBP"],
  ["HEIC", "\0\0\0\x18ftypheic"],
  ["AVIF", "\0\0\0\x18ftypavif"],
  ["TIFF", "II*\0"],
  ["big-endian TIFF", "MM\0*"],
  ["BMP", "BM"],
])("%s is accepted as a photo", (_, text) => expect(looksLikePhoto(start(text))).toBe(true));

test.each([
  ["text", "this is no photo"],
  ["GIF", "GIF89a"],
  ["PDF", "%PDF-1.7"],
  ["WAV", "RIFF\0\0\0\0WAVE"],
])("%s is not accepted as a photo", (_, text) => expect(looksLikePhoto(start(text))).toBe(false));

test("a photo within the limits need not be reduced", async () => {
  expect(await checkPhoto(photo(), false)).toEqual({ width: 640, height: 480, mustReduce: false });
});

test("a photo that the browser cannot read need not be reduced", async () => {
  FakeImage.size = undefined;
  expect(await checkPhoto(photo("phone.heic"), true)).toEqual({ mustReduce: false });
});

test.each([
  ["an empty file", () => new File([], "empty.jpg"), "CorruptImage"],
  ["a text file", () => new File(["just words, no pixels"], "text.jpg"), "UnsupportedFormat"],
])("%s is refused", async (_, file, code) => {
  await expect(checkPhoto(file(), false)).rejects.toMatchObject({ code });
});

test("a photo that is too small is refused", async () => {
  FakeImage.size = { width: 15, height: 900 };
  await expect(checkPhoto(photo(), false)).rejects.toMatchObject({ code: "ImageTooSmall" });
});

test("a photo with too many bytes must be reduced", async () => {
  expect(await checkPhoto(ofSize(MAX_BYTES + 1), false)).toMatchObject({ mustReduce: true });
  expect(await checkPhoto(ofSize(MAX_BYTES), false)).toMatchObject({ mustReduce: false });
});

test("a photo with too many pixels must be reduced", async () => {
  FakeImage.size = { width: 10_001, height: 10_000 };
  expect(await checkPhoto(photo(), false)).toMatchObject({ mustReduce: true });
});

test("a photo that is too large and that the browser cannot read is refused", async () => {
  FakeImage.size = undefined;
  await expect(checkPhoto(ofSize(MAX_BYTES + 1), false)).rejects.toMatchObject({ code: "ImageTooLarge" });
});

test("if the person chose to reduce photos, large ones are reduced and small ones are not", async () => {
  FakeImage.size = { width: 6000, height: 4000 };
  expect(await checkPhoto(photo(), true)).toMatchObject({ mustReduce: true });
  expect(await checkPhoto(photo(), false)).toMatchObject({ mustReduce: false });
  FakeImage.size = { width: 4000, height: 3000 };
  expect(await checkPhoto(photo(), true)).toMatchObject({ mustReduce: false });
});
