import { expect, test } from "vitest";
import { completed, faces } from "../../testing/server";
import { cleanSuffix, fileName, formatName, uniqueNames } from "./file-name";
import { DEFAULTS, jobOptions } from "../../jobs/choices";
import type { CompletedJob } from "../../jobs/job";

function jobOf(count: number, content_type: CompletedJob["result"]["content_type"]): CompletedJob {
  const job = completed({
    job_id: "a",
    status: "PROCESSING",
    options: jobOptions(DEFAULTS),
    created_at: "",
    expires_at: "",
    progress: {},
  });
  return { ...job, hidden: faces(count), result: { ...job.result, content_type } };
}

test.each([
  ["street.jpg", "image/jpeg", "-blurred", "street-blurred.jpg"],
  ["IMG_1.HEIC", "image/jpeg", " (hidden)", "IMG_1 (hidden).jpg"],
  ["a.b.png", "image/webp", "-blurred", "a.b-blurred.webp"],
  ["photo", "image/tiff", "", "photo.tif"],
] as const)("%s with a result of type %s and the suffix “%s” is saved as %s", (name, type, suffix, saved) =>
  expect(fileName(name, jobOf(1, type), suffix)).toBe(saved),
);

test("if nothing is hidden in a photo, its name says so, whatever the suffix", () => {
  expect(fileName("street.jpg", jobOf(0, "image/jpeg"), "-safe")).toBe("street-nothing-hidden.jpg");
});

test("a suffix has no characters that a file name may not have, and is not endless", () => {
  expect(cleanSuffix('../"a|b"?')).toBe("..ab");
  expect(cleanSuffix("x".repeat(100))).toHaveLength(40);
});

test("a format has the name that people use", () => expect(formatName("image/jpeg")).toBe("JPEG"));

test("names that occur twice are numbered, also if they differ in capitals only", () => {
  expect(uniqueNames(["a.jpg", "b.jpg", "a.jpg", "A.jpg"])).toEqual(["a.jpg", "b.jpg", "a-2.jpg", "A-3.jpg"]);
});
