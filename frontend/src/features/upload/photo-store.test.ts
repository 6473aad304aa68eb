import { http, HttpResponse } from "msw";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { eventually } from "../../testing/eventually";
import { photo } from "../../testing/files";
import { locks } from "../../testing/locks";
import { jobs, requests, server, STORAGE_URL } from "../../testing/server";
import { DEFAULTS } from "../../jobs/choices";
import { checkPhoto } from "./check-photo";
import { forgetFile, keepFile, readFile } from "./photo-files";
import { PhotoStore } from "./photo-store";

vi.mock("./check-photo", { spy: true });
vi.mock("./photo-files", { spy: true });

const names = (store: PhotoStore) => store.snapshot().map(({ name }) => name);
const stages = (store: PhotoStore) => store.snapshot().map(({ stage }) => stage);
const reach = (store: PhotoStore, ...expected: string[]) => eventually(() => expect(stages(store)).toEqual(expected));

/** Makes each upload wait until its function in the returned list is called. */
function holdUploads() {
  const held: (() => void)[] = [];
  server.use(
    http.post(STORAGE_URL, async () => {
      await new Promise<void>((resolve) => held.push(resolve));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  return held;
}

test("a photo is uploaded with the choices that held when it was added", async () => {
  const store = new PhotoStore();
  store.add([photo()], { ...DEFAULTS, style: "solid", reduce: true });
  await reach(store, "sent");
  expect(requests.created).toMatchObject([{ style: "solid", padding: DEFAULTS.padding }]);
  expect(requests.created[0]).not.toHaveProperty("reduce");
  expect(requests.uploaded).toEqual([store.snapshot()[0]!.jobId]);
  expect(store.snapshot()[0]).toMatchObject({ name: "street.jpg", bytes: 2000, width: 640, height: 480 });
});

/** Adds photos. Those that still wait when the test ends are cancelled, or they would be uploaded in a later test. */
function add(store: PhotoStore, ...names: string[]) {
  const files = names.map((name) => photo(name));
  store.add(files, DEFAULTS);
  onTestFinished(() => {
    const waiting = store.snapshot().filter(({ stage }) => stage === "waiting");
    waiting.forEach(({ id }) => store.cancel(id));
  });
}

test("the first photos are finished first: four are worked on, and the next one waits until a job has ended", async () => {
  const store = new PhotoStore();
  add(store, "a", "b", "c", "d", "e", "f");
  await reach(store, "sent", "sent", "sent", "sent", "waiting", "waiting");
  expect(names(store)).toEqual(["a", "b", "c", "d", "e", "f"]);
  store.jobEnded(store.snapshot()[1]!.id);
  await reach(store, "sent", "sent", "sent", "sent", "sent", "waiting");
});

test("a photo whose check takes longer is not overtaken", async () => {
  const store = new PhotoStore();
  let finishCheck = (): void => undefined;
  const slow = new Promise<object>((resolve) => (finishCheck = () => resolve({})));
  vi.mocked(checkPhoto).mockReturnValueOnce(slow);
  add(store, "slow", "a", "b", "c", "d");
  await reach(store, "checking", "waiting", "waiting", "waiting", "waiting");
  finishCheck();
  await reach(store, "sent", "sent", "sent", "sent", "waiting");
});

test("a photo that is refused makes room for the next one", async () => {
  const store = new PhotoStore();
  server.use(http.post("/api/jobs", () => HttpResponse.json({ code: "Busy", message: "…" }, { status: 429 })));
  add(store, "1", "2", "3", "4", "5", "6");
  await reach(store, ...Array<string>(6).fill("refused"));
});

test("while the page is hidden, it does not wait for the end of jobs", async () => {
  const store = new PhotoStore();
  onTestFinished(store.open());
  add(store, "a", "b", "c", "d", "e");
  await reach(store, "sent", "sent", "sent", "sent", "waiting");
  vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  document.dispatchEvent(new Event("visibilitychange"));
  await reach(store, "sent", "sent", "sent", "sent", "sent");
});

test("a job without an end makes the others wait for half a minute only", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const store = new PhotoStore();
  add(store, "a", "b", "c", "d", "e");
  const reach = async (...expected: string[]) => {
    while (stages(store).join() !== expected.join()) await new Promise(setImmediate);
  };
  await reach("sent", "sent", "sent", "sent", "waiting");
  vi.advanceTimersByTime(30_000);
  await reach("sent", "sent", "sent", "sent", "sent");
});

test("a file that is not a photo is refused without a request to the server", async () => {
  const store = new PhotoStore();
  store.add([new File(["just words here"], "text.jpg")], DEFAULTS);
  await reach(store, "refused");
  expect(store.snapshot()[0]!.failure).toMatchObject({ code: "UnsupportedFormat" });
  expect(requests.created).toEqual([]);
});

test("a cancelled upload leaves nothing on the server", async () => {
  const held = holdUploads();
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await eventually(() => expect(held).toHaveLength(1));
  store.cancel(store.snapshot()[0]!.id);
  await reach(store, "cancelled");
  await eventually(() => expect(requests.deleted).toHaveLength(1));
  await eventually(() => expect(store.snapshot()[0]!.jobId).toBeUndefined());
  expect(jobs.size).toBe(0);
});

test("after a network failure, a photo can be sent again with a new job", async () => {
  server.use(http.post(STORAGE_URL, () => HttpResponse.error(), { once: true }));
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "refused");
  const [lost] = store.snapshot();
  expect(lost!.failure).toMatchObject({ code: "Offline" });
  await store.retry(lost!.id);
  await reach(store, "sent");
  expect(requests.deleted).toEqual([lost!.jobId]);
  expect(requests.created).toHaveLength(2);
});

test("if creating a job gets no answer, it is tried once more before the photo fails", async () => {
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

test("a job that could not be erased on retry is erased with the photo", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  const { id, jobId: earlier } = store.snapshot()[0]!;
  server.use(http.delete("/api/jobs/:id", () => HttpResponse.error(), { once: true }));
  await store.retry(id);
  await reach(store, "sent");
  const { jobId, jobsToErase } = store.snapshot()[0]!;
  expect(jobsToErase).toEqual([earlier]);
  expect(jobs.size).toBe(2);
  await store.remove(id);
  expect(requests.deleted).toEqual([jobId, earlier]);
  expect(jobs.size).toBe(0);
});

test("a retry without the photo's file leaves the result", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  const [sent] = store.snapshot();
  await forgetFile(sent!.id);
  await expect(store.retry(sent!.id)).rejects.toMatchObject({ code: "Interrupted" });
  expect(store.snapshot()).toEqual([sent]);
  expect(jobs.has(sent!.jobId!)).toBe(true);
});

test("a photo that is cancelled during its check stays cancelled when the check fails", async () => {
  const store = new PhotoStore();
  let fail = (): void => undefined;
  const check = new Promise<never>((_, reject) => (fail = () => reject(new Error("late"))));
  const checkMock = vi.mocked(checkPhoto).mockClear().mockReturnValueOnce(check);
  store.add([photo()], DEFAULTS);
  await eventually(() => expect(checkMock).toHaveBeenCalled());
  store.cancel(store.snapshot()[0]!.id);
  fail();
  await new Promise((resolve) => setTimeout(resolve)); // after everything that the failure causes
  expect(stages(store)).toEqual(["cancelled"]);
});

test("a file is kept for an hour before it is sent, and for a day afterwards", async () => {
  const held = holdUploads();
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

test("a refused request fails with the API's own code and sentence", async () => {
  const answer = { code: "THROTTLED", message: "Too Many Requests" };
  const refused = vi.fn(() => HttpResponse.json(answer, { status: 429 }));
  server.use(http.post("/api/jobs", refused));
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "refused");
  expect(store.snapshot()[0]!.failure).toEqual(answer);
  expect(refused).toHaveBeenCalledTimes(1);
});

test("an answer that is not JSON is an unforeseen failure", async () => {
  server.use(http.post("/api/jobs", () => HttpResponse.html("<h1>Bad gateway</h1>", { status: 502 })));
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "refused");
  expect(store.snapshot()[0]!.failure).toMatchObject({ code: "InternalError" });
});

test("a retry can change the choices", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  await store.retry(store.snapshot()[0]!.id, { style: "solid" });
  await eventually(() => expect(requests.created.at(-1)).toMatchObject({ style: "solid" }));
  await reach(store, "sent");
});

test("after a reload, sent photos are still there and interrupted ones are sent again", async () => {
  const held = holdUploads();
  const before = new PhotoStore();
  before.add([photo("sent.jpg")], DEFAULTS);
  await eventually(() => expect(held).toHaveLength(1));
  held.shift()!();
  await reach(before, "sent");
  before.add([photo("interrupted.jpg")], DEFAULTS);
  await eventually(() => expect(held).toHaveLength(1));
  const interrupted = before.snapshot()[0]!.jobId;

  locks.closeTabs();
  const after = new PhotoStore();
  after.open();
  expect(names(after)).toEqual(["interrupted.jpg", "sent.jpg"]);
  await eventually(() => expect(held).toHaveLength(2));
  held.forEach((release) => release());
  await reach(after, "sent", "sent");
  expect(requests.deleted).toEqual([interrupted]);
});

test("the order survives a reload, also of photos that are sent", async () => {
  const store = new PhotoStore();
  add(store, "a", "b", "c");
  await reach(store, "sent", "sent", "sent");
  const now = Date.now();
  vi.spyOn(Date, "now").mockReturnValue(now + 1000);
  add(store, "d");
  await reach(store, "sent", "sent", "sent", "sent");
  const after = new PhotoStore();
  onTestFinished(after.open());
  expect(names(after)).toEqual(["d", "a", "b", "c"]);
});

describe("in two tabs", () => {
  /** Tells the tabs what has changed in the storage, as the browser tells other tabs. */
  const tell = (id: string) =>
    window.dispatchEvent(new StorageEvent("storage", { key: `faceblur.photo.${id}`, storageArea: localStorage }));

  function openTab(): PhotoStore {
    const store = new PhotoStore();
    onTestFinished(store.open());
    return store;
  }

  async function whileUploading() {
    const held = holdUploads();
    const [first, second] = [openTab(), openTab()];
    add(first, "a.jpg");
    await eventually(() => expect(held).toHaveLength(1));
    const { id, jobId } = first.snapshot()[0]!;
    tell(id);
    return { held, first, second, id, jobId: jobId! };
  }

  test("the second one shows what the first one uploads, and leaves it alone", async () => {
    const { held, first, second, id, jobId } = await whileUploading();
    expect(second.snapshot()).toMatchObject([{ id, jobId, stage: "uploading" }]);
    expect([first.worksOn(id), second.worksOn(id)]).toEqual([true, false]);
    await second.retry(id);
    held[0]!();
    await reach(first, "sent");
    tell(id);
    await reach(second, "sent");
    expect([...jobs.keys()]).toEqual([jobId]);
  });

  test("the second one goes on when the first one is closed", async () => {
    const { held, second, id, jobId } = await whileUploading();
    locks.closeTabs();
    const third = openTab();
    await eventually(() => expect(held).toHaveLength(2));
    held[1]!();
    await reach(third, "sent");
    expect(requests.deleted).toEqual([jobId]);
    expect(second.snapshot()[0]!.id).toBe(id);
  });

  test("the second one can cancel what the first one uploads", async () => {
    const { first, second, id } = await whileUploading();
    second.cancel(id);
    tell(id);
    await reach(first, "cancelled");
    await eventually(() => expect(jobs.size).toBe(0));
    expect(first.worksOn(id)).toBe(false);
    expect(readStage(id)).toBe("cancelled");
  });

  test("what is deleted in one is deleted in the other", async () => {
    const { held, first, second, id } = await whileUploading();
    held[0]!();
    await reach(first, "sent");
    tell(id);
    await second.remove(id);
    tell(id);
    expect(first.snapshot()).toEqual([]);
    expect(await readFile(id)).toBeNull();
    expect(localStorage).toHaveLength(0);
  });

  const readStage = (id: string) =>
    (JSON.parse(localStorage.getItem(`faceblur.photo.${id}`)!) as { stage: string }).stage;
});

test("a photo that is added before the stored ones are restored stays in the list", async () => {
  const store = new PhotoStore();
  store.add([photo("early.jpg")], DEFAULTS);
  onTestFinished(store.open());
  expect(names(store)).toEqual(["early.jpg"]);
  await reach(store, "sent");
  expect(requests.created).toHaveLength(1);
});

test("expired photos are forgotten", async () => {
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

test("a photo whose file this browser no longer has fails", async () => {
  const waiting = { id: "x", name: "a.jpg", bytes: 1, choices: DEFAULTS, stage: "waiting", forgetAt: Date.now() + 1e6 };
  localStorage.setItem("faceblur.photo.x", JSON.stringify(waiting));
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
  expect(requests.deleted).toEqual([jobId]);
  expect(store.snapshot()).toEqual([]);
  expect(localStorage).toHaveLength(0);
  expect(await readFile(id)).toBeNull();
});

test("a job that no longer exists counts as erased", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  jobs.clear();
  await store.remove(store.snapshot()[0]!.id);
  expect(store.snapshot()).toEqual([]);
});

test("a photo that the server could not erase stays in the list", async () => {
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await reach(store, "sent");
  server.use(http.delete("/api/jobs/:id", () => HttpResponse.error()));
  await expect(store.remove(store.snapshot()[0]!.id)).rejects.toMatchObject({ code: "Offline" });
  expect(store.snapshot()).toHaveLength(1);
});

test("removing an unfinished upload while the server cannot be reached cancels it", async () => {
  const held = holdUploads();
  const store = new PhotoStore();
  store.add([photo()], DEFAULTS);
  await eventually(() => expect(held).toHaveLength(1));
  server.use(http.delete("/api/jobs/:id", () => HttpResponse.error()));
  await expect(store.remove(store.snapshot()[0]!.id)).rejects.toMatchObject({ code: "Offline" });
  expect(stages(store)).toEqual(["cancelled"]);
});

test("without a database, a file is kept in memory", async () => {
  await keepFile("y", photo(), Date.now() + 1000);
  expect((await readFile("y"))?.size).toBe(2000);
});
