import { expect, test } from "vitest";
import { MAX_BYTES, MAX_PIXELS, REDUCED_PIXELS } from "../../limits";
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
  ["HEIC", "\0\0\0\x18ftypheic\0\0\0\0mif1heic"],
  ["HEIC of a general brand", "\0\0\0\x18ftypmsf1\0\0\0\0heis"],
  ["AVIF", "\0\0\0\x18ftypavif\0\0\0\0mif1"],
  ["TIFF", "II*\0"],
  ["big-endian TIFF", "MM\0*"],
  ["BMP", "BM"],
])("%s is accepted as a photo", (_, text) => expect(looksLikePhoto(start(text))).toBe(true));

test.each([
  ["text", "this is no photo"],
  ["GIF", "GIF89a"],
  ["PDF", "%PDF-1.7"],
  ["WAV", "RIFF\0\0\0\0WAVE"],
  ["MP4", "\0\0\0\x18ftypmp42\0\0\0\0isommp41"],
  ["MOV", "\0\0\0\x14ftypqt  \0\0\0\0qt  "],
  ["a video with a picture's brand behind its own box", "\0\0\0\x14ftypisom\0\0\0\0mp42heic"],
  ["WebM", "\x1aE\xdf\xa3"],
])("%s is not accepted as a photo", (_, text) => expect(looksLikePhoto(start(text))).toBe(false));

test("a photo within the limits need not be reduced", async () => {
  expect(await checkPhoto(photo(), false)).toEqual({ width: 640, height: 480 });
});

test("a photo that the browser cannot read need not be reduced", async () => {
  FakeImage.size = undefined;
  expect(await checkPhoto(photo("phone.heic"), true)).toEqual({});
});

test("a large file that is no photo is refused for what it is", async () => {
  const video = new File(["\0\0\0\x18ftypmp42\0\0\0\0isommp41"], "film.mp4");
  Object.defineProperty(video, "size", { value: 400_000_000 });
  await expect(checkPhoto(video, false)).rejects.toMatchObject({ code: "UnsupportedFormat" });
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

const API_LIMITS = { bytes: MAX_BYTES, pixels: MAX_PIXELS };

test("a photo with too many bytes must be reduced to the API's limits", async () => {
  expect((await checkPhoto(ofSize(MAX_BYTES + 1), false)).mustReduce).toEqual(API_LIMITS);
  expect((await checkPhoto(ofSize(MAX_BYTES), false)).mustReduce).toBeUndefined();
});

test("a photo with too many pixels must be reduced to the API's limits", async () => {
  FakeImage.size = { width: 10_001, height: 10_000 };
  expect((await checkPhoto(photo(), false)).mustReduce).toEqual(API_LIMITS);
});

test("a photo that is too large and that the browser cannot read is refused, and cannot be reduced", async () => {
  FakeImage.size = undefined;
  await expect(checkPhoto(ofSize(MAX_BYTES + 1), false)).rejects.toMatchObject({ code: "CannotReduce" });
});

test("if the person chose to reduce photos, large ones are reduced and small ones are not", async () => {
  FakeImage.size = { width: 6000, height: 4000 };
  expect((await checkPhoto(photo(), true)).mustReduce).toEqual({ bytes: MAX_BYTES, pixels: REDUCED_PIXELS });
  expect((await checkPhoto(photo(), false)).mustReduce).toBeUndefined();
  FakeImage.size = { width: 4000, height: 3000 };
  expect((await checkPhoto(photo(), true)).mustReduce).toBeUndefined();
});
