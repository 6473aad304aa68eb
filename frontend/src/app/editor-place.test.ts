import { expect, test } from "vitest";
import { editorPlace } from "./editor-place";

test.each([
  ["photo=3f2a-1", { photo: "3f2a-1" }],
  ["job=0f8fad5bd9cb469fa16570867728950e", { job: "0f8fad5bd9cb469fa16570867728950e" }],
  ["photos", undefined],
  ["photo=", undefined],
  ["job=../x", undefined],
  ["", undefined],
])("the address #%s names %o", (hash, place) => expect(editorPlace(hash)).toEqual(place));
