import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";
import { eventually } from "../../testing/eventually";
import { photo } from "../../testing/files";
import { asked, jobs, server, STORAGE_URL } from "../../testing/server";
import { DEFAULTS } from "../options/options";
import { checkPhoto } from "./check-photo";
import { forgetFile, keepFile, readFile } from "./photo-files";
import { PhotoStore } from "./photo-store";

vi.mock("./check-photo", { spy: true });
vi.mock("./photo-files", { spy: true });

const names = (store: PhotoStore) => store.snapshot().map(({ name }) => name);
const stages = (store: PhotoStore) => store.snapshot().map(({ stage }) => stage);
const reach = (store: PhotoStore, ...expected: string[]) => eventually(() => expect(stages(store)).toEqual(expected));

/** An upload that takes until it is let go. */
function heldUploads() {
  const held: (() => void)[] = [];
  server.use(
    http.post(STORAGE_URL, async () => {
      await new Promise<void>((resolve) => held.push(resolve));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  return held;
}

test("a photo is uploaded with the options of its time", async () => {
  const store = new PhotoStore();
  store.add([photo()], { ...DEFAULTS, style: "solid", reduce: true });
  await reach(store, "sent");
  expect(asked.created).toMatchObject([{ style: "solid", padding: DEFAULTS.padding }]);
  expect(asked.created[0]).not.toHaveProperty("reduce");
  expect(asked.uploaded).toEqual([store.snapshot()[0]!.jobId]);
  expect(store.snapshot()[0]).toMatchObject({ name: "street.jpg", bytes: 2000, width: 640, height: 480 });
});

test("three photos go up at once, the others wait", async () => {
  const held = heldUploads();
  const store = new PhotoStore();
  store.add(
    ["a", "b", "c", "d", "e"].map((name) => photo(name)),
    DEFAULTS,
  );
  await eventually(() => expect(held).toHaveLength(3));
  expect(names(store)).toEqual(["a", "b", "c", "d", "e"]);
  expect(stages(store).filter((stage) => stage === "waiting")).toHaveLength(2);
  held.shift()!();
  await eventually(() => expect(stages(store).filter((stage) => stage === "waiting")).toHaveLength(1));
  await eventually(() => expect(held).toHaveLength(3));
  held.splice(0).forEach((go) => go());
  await eventually(() => expect(held).toHaveLength(1));
  held[0]!();
  await reach(store, "sent", "sent", "sent", "sent", "sent");
});

test("a file that is no photo is refused before anything is asked of the server", async () => {
  const store = new PhotoStore();
  store.add([new File(["just words here"], "text.jpg")], DEFAULTS);
  await reach(store, "refused");
  expect(store.snapshot()[0]!.failure).toMatchObject({ code: "UnsupportedFormat" });
  expect(asked.created).toEqual([]);
});

test("a cancelled upload leaves nothing on the server", async () => {
  const held = heldUploads();
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await eventually(() => expect(held).toHaveLength(1));
  store.cancel(store.snapshot()[0]!.id);
  await reach(store, "cancelled");
  await eventually(() => expect(asked.deleted).toHaveLength(1));
  await eventually(() => expect(store.snapshot()[0]!.jobId).toBeUndefined());
  expect(jobs.size).toBe(0);
});

test("after a lost network the photo is tried again with a new job", async () => {
  server.use(http.post(STORAGE_URL, () => HttpResponse.error(), { once: true }));
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "refused");
  const [lost] = store.snapshot();
  expect(lost!.failure).toMatchObject({ code: "Offline" });
  await store.retry(lost!.id);
  await reach(store, "sent");
  expect(asked.deleted).toEqual([lost!.jobId]);
  expect(asked.created).toHaveLength(2);
});

test("a job whose creation nobody answers is asked for once more, and then told as failed", async () => {
  server.use(http.post("/api/jobs", () => HttpResponse.error(), { once: true }));
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  const unanswered = vi.fn(() => HttpResponse.error());
  server.use(http.post("/api/jobs", unanswered));
  store.add([photo()], DEFAULTS);
  await reach(store, "refused", "sent");
  expect(store.snapshot()[0]!.failure).toMatchObject({ code: "Offline" });
  expect(unanswered).toHaveBeenCalledTimes(2);
});

test("a job that could not be erased before a new try is erased with the photo", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  const { id, jobId: former } = store.snapshot()[0]!;
  server.use(http.delete("/api/jobs/:id", () => HttpResponse.error(), { once: true }));
  await store.retry(id);
  await reach(store, "sent");
  const { jobId, jobsToErase } = store.snapshot()[0]!;
  expect(jobsToErase).toEqual([former]);
  expect(jobs.size).toBe(2);
  await store.remove(id);
  expect(asked.deleted).toEqual([jobId, former]);
  expect(jobs.size).toBe(0);
});

test("a result stays when its photo is no longer there to try again", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  const [sent] = store.snapshot();
  await forgetFile(sent!.id);
  await expect(store.retry(sent!.id)).rejects.toMatchObject({ code: "Interrupted" });
  expect(store.snapshot()).toEqual([sent]);
  expect(jobs.has(sent!.jobId!)).toBe(true);
});

test("a check that fails leaves a cancelled photo cancelled", async () => {
  const store = new PhotoStore();
  let fail = (): void => undefined;
  const check = new Promise<never>((_, reject) => (fail = () => reject(new Error("late"))));
  const checked = vi.mocked(checkPhoto).mockReturnValueOnce(check);
  store.add([photo()], DEFAULTS);
  await eventually(() => expect(checked).toHaveBeenCalled());
  store.cancel(store.snapshot()[0]!.id);
  fail();
  await new Promise((resolve) => setTimeout(resolve)); // all that follows from it has happened then
  expect(stages(store)).toEqual(["cancelled"]);
});

test("a file is kept for an hour, and as long as its job once it is sent", async () => {
  const held = heldUploads();
  vi.mocked(keepFile).mockClear();
  const store = new PhotoStore();
  const begin = Date.now();
  vi.spyOn(Date, "now").mockReturnValue(begin);
  store.add([photo()], DEFAULTS);
  await eventually(() => expect(held).toHaveLength(1));
  held[0]!();
  await reach(store, "sent");
  expect(vi.mocked(keepFile).mock.calls.map(([, , forgetAt]) => forgetAt - begin)).toEqual([3_600_000, 86_400_000]);
});

test("a refused request is told with the API's own sentence", async () => {
  const answer = { code: "THROTTLED", message: "Too Many Requests" };
  const refused = vi.fn(() => HttpResponse.json(answer, { status: 429 }));
  server.use(http.post("/api/jobs", refused));
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "refused");
  expect(store.snapshot()[0]!.failure).toEqual(answer);
  expect(refused).toHaveBeenCalledTimes(1);
});

test("an answer that is not the API's is told as unforeseen", async () => {
  server.use(http.post("/api/jobs", () => HttpResponse.html("<h1>Bad gateway</h1>", { status: 502 })));
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "refused");
  expect(store.snapshot()[0]!.failure).toMatchObject({ code: "InternalError" });
});

test("a retry may come with other choices", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  await store.retry(store.snapshot()[0]!.id, { style: "solid" });
  await eventually(() => expect(asked.created.at(-1)).toMatchObject({ style: "solid" }));
  await reach(store, "sent");
});

test("what was sent is there after a reload, what was not is sent then", async () => {
  const held = heldUploads();
  const before = new PhotoStore();
  before.add([photo("sent.jpg")], DEFAULTS);
  await eventually(() => expect(held).toHaveLength(1));
  held.shift()!();
  await reach(before, "sent");
  before.add([photo("interrupted.jpg")], DEFAULTS);
  await eventually(() => expect(held).toHaveLength(1));
  const interrupted = before.snapshot()[0]!.jobId;

  const after = new PhotoStore();
  after.open();
  expect(names(after)).toEqual(["interrupted.jpg", "sent.jpg"]);
  await eventually(() => expect(held).toHaveLength(2));
  held.forEach((go) => go());
  await reach(after, "sent", "sent");
  expect(asked.deleted).toEqual([interrupted]);
});

/** The list of a tab that is opened now; what belongs to the first tab alone is there for the first tab still. */
function openedElsewhere(): PhotoStore {
  const own = Object.entries(sessionStorage) as [string, string][];
  sessionStorage.clear();
  const store = new PhotoStore();
  store.open();
  own.forEach(([key, value]) => sessionStorage.setItem(key, value));
  return store;
}

test("a job can be erased after its tab was closed during the upload", async () => {
  const held = heldUploads();
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await eventually(() => expect(held).toHaveLength(1));
  const { id, jobId } = store.snapshot()[0]!;
  const later = openedElsewhere();
  expect(later.snapshot()).toMatchObject([{ id, jobId, stage: "cancelled" }]);
  await later.remove(id);
  expect(asked.deleted).toEqual([jobId]);
  expect(Object.keys(localStorage)).toEqual([]);
});

test("what is still to be uploaded belongs to its tab alone", async () => {
  const held = heldUploads();
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await eventually(() => expect(held).toHaveLength(1));
  const other = openedElsewhere();
  expect(stages(other)).toEqual(["cancelled"]);
  held[0]!();
  await reach(store, "sent");
  expect(Object.keys(localStorage)).toEqual([`faceblur.photo.${store.snapshot()[0]!.id}`]);
  expect(Object.keys(sessionStorage)).toEqual([]);
});

test("what has expired is forgotten", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  const now = Date.now();
  vi.spyOn(Date, "now").mockReturnValue(now + 25 * 60 * 60 * 1000);
  const later = new PhotoStore();
  later.open();
  expect(later.snapshot()).toEqual([]);
  expect(localStorage).toHaveLength(0);
});

test("a photo that this browser no longer has is not uploaded", async () => {
  const waiting = { id: "x", name: "a.jpg", bytes: 1, choices: DEFAULTS, stage: "waiting", forgetAt: Date.now() + 1e6 };
  sessionStorage.setItem("faceblur.photo.x", JSON.stringify(waiting));
  const store = new PhotoStore();
  store.open();
  await reach(store, "refused");
  expect(store.snapshot()[0]!.failure).toMatchObject({ code: "Interrupted" });
});

test("removing a photo erases it here and on the server", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  const { id, jobId } = store.snapshot()[0]!;
  await store.remove(id);
  expect(asked.deleted).toEqual([jobId]);
  expect(store.snapshot()).toEqual([]);
  expect(localStorage).toHaveLength(0);
  expect(await readFile(id)).toBeNull();
});

test("a job that is gone already counts as erased", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  jobs.clear();
  await store.remove(store.snapshot()[0]!.id);
  expect(store.snapshot()).toEqual([]);
});

test("what the server could not erase stays in the list", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  server.use(http.delete("/api/jobs/:id", () => HttpResponse.error()));
  await expect(store.remove(store.snapshot()[0]!.id)).rejects.toMatchObject({ code: "Offline" });
  expect(store.snapshot()).toHaveLength(1);
});

test("an upload that is removed while the server is away counts as cancelled", async () => {
  const held = heldUploads();
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await eventually(() => expect(held).toHaveLength(1));
  server.use(http.delete("/api/jobs/:id", () => HttpResponse.error()));
  await expect(store.remove(store.snapshot()[0]!.id)).rejects.toMatchObject({ code: "Offline" });
  expect(stages(store)).toEqual(["cancelled"]);
});

test("without a database a file lives as long as the page", async () => {
  await keepFile("y", photo(), Date.now() + 1000);
  expect((await readFile("y"))?.size).toBe(2000);
});
