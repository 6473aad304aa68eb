import { expect, test } from "vitest";
import { fileName, formatName, uniqueNames } from "./file-name";

test.each([
  ["street.jpg", "image/jpeg", "street-blurred.jpg"],
  ["IMG_1.HEIC", "image/jpeg", "IMG_1-blurred.jpg"],
  ["a.b.png", "image/webp", "a.b-blurred.webp"],
  ["photo", "image/tiff", "photo-blurred.tif"],
])("%s with a result of type %s is saved as %s", (name, type, saved) => expect(fileName(name, type)).toBe(saved));

test("a format has the name that people use", () => expect(formatName("image/jpeg")).toBe("JPEG"));

test("names that occur twice are numbered", () => {
  expect(uniqueNames(["a.jpg", "b.jpg", "a.jpg", "a.jpg"])).toEqual(["a.jpg", "b.jpg", "a-2.jpg", "a-3.jpg"]);
});
