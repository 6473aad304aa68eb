import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";
import { photo } from "../../testing/files";
import { server, STORAGE_URL } from "../../testing/server";
import { refusal, uploadPhoto } from "./upload-photo";

const FORM = { url: STORAGE_URL, fields: { key: "uploads/a", policy: "p" } };
const never = new AbortController().signal;

test("the form's fields are sent first, then the photo without its file name", async () => {
  let body = "";
  server.use(
    http.post(STORAGE_URL, async ({ request }) => {
      body = await request.text();
      return new HttpResponse(null, { status: 204 });
    }),
  );
  await uploadPhoto(FORM, photo("my secret place.jpg"), vi.fn(), never);
  expect([...body.matchAll(/ name="(\w+)"/g)].map(([, name]) => name)).toEqual(["key", "policy", "file"]);
  expect(body).not.toContain("secret place");
});

test.each([
  ["<Error><Code>EntityTooLarge</Code></Error>", "ImageTooLarge"],
  ["<Error><Code>AccessDenied</Code><Message>Policy expired.</Message></Error>", "UploadExpired"],
  ["<Error><Code>SlowDown</Code></Error>", "StorageUnavailable"],
])("the storage's answer %s is the failure %s", async (answer, code) => {
  expect(refusal(answer).code).toBe(code);
  server.use(http.post(STORAGE_URL, () => HttpResponse.xml(answer, { status: 403 })));
  await expect(uploadPhoto(FORM, photo(), vi.fn(), never)).rejects.toMatchObject({ code });
});

test("a network failure is the failure Offline", async () => {
  server.use(http.post(STORAGE_URL, () => HttpResponse.error()));
  await expect(uploadPhoto(FORM, photo(), vi.fn(), never)).rejects.toMatchObject({ code: "Offline" });
});

test("an upload without progress for a minute is given up", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    server.use(http.post(STORAGE_URL, () => new Promise<never>(() => undefined)));
    const upload = expect(uploadPhoto(FORM, photo(), vi.fn(), never)).rejects.toMatchObject({ code: "Offline" });
    await vi.advanceTimersByTimeAsync(60_000);
    await upload;
  } finally {
    vi.useRealTimers();
  }
});

test("an upload can be cancelled", async () => {
  server.use(http.post(STORAGE_URL, () => new Promise<never>(() => undefined)));
  const controller = new AbortController();
  const upload = uploadPhoto(FORM, photo(), vi.fn(), controller.signal);
  controller.abort();
  await expect(upload).rejects.toMatchObject({ name: "AbortError" });
});
