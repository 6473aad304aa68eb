import { expect, test } from "vitest";
import { distinct, fileName, formatName } from "./file-name";

test.each([
  ["street.jpg", "image/jpeg", "street-blurred.jpg"],
  ["IMG_1.HEIC", "image/jpeg", "IMG_1-blurred.jpg"],
  ["a.b.png", "image/webp", "a.b-blurred.webp"],
  ["photo", "image/tiff", "photo-blurred.tif"],
])("%s as %s is saved as %s", (name, type, saved) => expect(fileName(name, type)).toBe(saved));

test("formats have the names that people know", () => expect(formatName("image/jpeg")).toBe("JPEG"));

test("no name occurs twice", () => {
  expect(distinct(["a.jpg", "b.jpg", "a.jpg", "a.jpg"])).toEqual(["a.jpg", "b.jpg", "a-2.jpg", "a-3.jpg"]);
});
