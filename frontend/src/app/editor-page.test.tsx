import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, onTestFinished, test, vi } from "vitest";
import { App } from "./app";
import { closeEditor } from "./editor-place";
import { DEFAULTS, jobOptions, rememberChoices } from "../jobs/choices";
import type { Job } from "../jobs/job";
import { redoJob } from "../jobs/redo-job";
import { reviewJob } from "../jobs/review-job";
import { forgetFile } from "../features/upload/photo-files";
import { PhotoStore } from "../features/upload/photo-store";
import { PhotoStoreContext } from "../features/upload/use-photos";
import { eventually } from "../testing/eventually";
import { photo } from "../testing/files";
import { BOX, completed, failed, inReview, jobs, requests, server, setOutcome, faces } from "../testing/server";
import { texts } from "../texts";

const words = texts.editor;
const SOON = new Date(Date.now() + 3_600_000).toISOString();

function renderApp() {
  const store = new PhotoStore();
  store.open();
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <PhotoStoreContext value={store}>
        <App />
      </PhotoStoreContext>
    </QueryClientProvider>,
  );
  return { user: userEvent.setup({ applyAccept: false }), store };
}

/** Adds a photo and waits until its job has the given outcome. Returns the photo's id. */
async function addPhoto({ user, store }: ReturnType<typeof renderApp>, name = "street.jpg") {
  await user.upload(screen.getByLabelText(texts.drop.choose, { selector: "input" }), photo(name));
  await eventually(() => expect(store.snapshot()[0]).toMatchObject({ name, stage: "sent" }));
  return store.snapshot()[0]!.id;
}

const editor = () => screen.findByRole("dialog", { name: /^What is hidden in/ });
const isClosed = () => waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
const faceBox = () => screen.findByRole("checkbox", { name: /^Hide face 1/ });

test("the only photo that waits for its review opens by itself, and goes on with the answer", async () => {
  rememberChoices({ ...DEFAULTS, review: "always" });
  setOutcome((job) => inReview(job));
  const app = renderApp();
  await addPhoto(app);
  expect(await editor()).toBeTruthy();
  expect(requests.created[0]?.review).toBe("always");
  await app.user.click(await faceBox());
  await app.user.click(screen.getByRole("button", { name: words.finishNone }));
  await isClosed();
  expect(requests.reviewed).toEqual([{ keep: [{ id: 1 }] }]);
  expect(location.hash).toBe("");
});

test("a new style for a photo in review becomes the style of each of its regions", async () => {
  setOutcome((job) => inReview(job));
  const app = renderApp();
  await addPhoto(app);
  await editor();
  await app.user.click(await screen.findByText(words.photoStyle));
  const style = within(screen.getByRole("dialog")).getByRole("combobox", { name: texts.options.style.label });
  await app.user.selectOptions(style, "solid");
  await app.user.click(screen.getByRole("button", { name: words.finish }));
  await isClosed();
  expect(requests.reviewed).toMatchObject([{ hide: [{ id: 1, style: "solid" }] }]);
});

test("Back closes the editor; the decision so far is there when it is opened again", async () => {
  setOutcome((job) => inReview(job));
  const app = renderApp();
  const id = await addPhoto(app);
  await app.user.click(await faceBox());
  history.back();
  await isClosed();
  location.hash = `photo=${id}`;
  expect(await faceBox()).toHaveProperty("checked", false);
});

test("a completed photo that the server still has is done again there", async () => {
  setOutcome((job) => completed(job, { redo_until: SOON }));
  const app = renderApp();
  location.hash = `photo=${await addPhoto(app)}`;
  await app.user.click(await screen.findByText(words.photoStyle));
  const style = within(screen.getByRole("dialog")).getByRole("combobox", { name: texts.options.style.label });
  await app.user.selectOptions(style, "pixelate");
  await app.user.click(await faceBox());
  await app.user.click(screen.getByRole("button", { name: words.finishNone }));
  await isClosed();
  expect(requests.redone).toEqual([{ style: "pixelate", keep: [{ id: 1 }] }]);
});

test("a completed photo that only this browser has is uploaded again, and replaces its job when it is completed", async () => {
  rememberChoices({ ...DEFAULTS, review: "when_unsure" });
  setOutcome((job) => completed(job));
  const app = renderApp();
  const id = await addPhoto(app);
  const first = app.store.snapshot()[0]!.jobId!;
  setOutcome((job) => job);
  location.hash = `photo=${id}`;
  await app.user.click(await faceBox());
  expect(screen.getByText(words.uploads)).toBeTruthy();
  await app.user.click(screen.getByRole("button", { name: words.finishNone }));
  await isClosed();
  await eventually(() => expect(requests.uploaded).toHaveLength(2));
  const { left, top, width, height } = BOX;
  expect(requests.created[1]).toMatchObject({ keep: [{ left, top, width, height, kind: "face" }], review: "never" });
  expect(requests.deleted).toEqual([]);
  const second = requests.uploaded[1]!;
  jobs.set(second, completed(jobs.get(second)!));
  await eventually(() => expect(requests.deleted).toEqual([first]));
  expect(app.store.snapshot()[0]?.jobId).toBe(second);
});

test("if nobody has the photo any more, the editor says why it cannot be changed", async () => {
  setOutcome((job) => completed(job));
  const app = renderApp();
  const id = await addPhoto(app);
  await forgetFile(id);
  cleanup();
  renderApp();
  location.hash = `photo=${id}`;
  expect(await screen.findByText(words.gone)).toBeTruthy();
});

/** A job that this browser has not created, as the command opens it. */
function otherJob(change: (job: Job) => Job) {
  const job: Job = {
    job_id: "f".repeat(32),
    status: "PROCESSING",
    options: jobOptions(DEFAULTS),
    created_at: new Date().toISOString(),
    expires_at: SOON,
    progress: {},
  };
  jobs.set(job.job_id, change(job));
  history.replaceState(null, "", `/#job=${job.job_id}`);
  return job.job_id;
}

test("a job of the command is reviewed by its id alone, and Back does not leave the page", async () => {
  otherJob((job) => inReview(job));
  const { user } = renderApp();
  await user.click(await faceBox());
  await user.click(screen.getByRole("button", { name: words.finishNone }));
  await isClosed();
  expect(requests.reviewed).toEqual([{ keep: [{ id: 1 }] }]);
  expect(location.pathname + location.hash).toBe("/");
});

test("an answer that comes too late is refused with the API's sentence", async () => {
  otherJob((job) => inReview(job));
  server.use(
    http.put("/api/jobs/:id/review", () =>
      HttpResponse.json({ code: "ReviewClosed", message: "This job does not wait for a review." }, { status: 409 }),
    ),
  );
  const { user } = renderApp();
  await faceBox();
  await user.click(screen.getByRole("button", { name: words.finish }));
  expect(await screen.findByText("This job does not wait for a review.")).toBeTruthy();
});

test.each([
  ["that has failed", (job: Job) => failed(job, "TimedOut", "Too slow."), words.failed],
  ["that is being worked on", (job: Job) => job, words.working],
  ["that is completed, without its photo", (job: Job) => completed(job), words.gone],
])("a job %s says so", async (_, change, sentence) => {
  otherJob(change);
  renderApp();
  expect(await screen.findByText(sentence)).toBeTruthy();
});

test("an unknown job says so", async () => {
  history.replaceState(null, "", `/#job=${"e".repeat(32)}`);
  renderApp();
  expect(await screen.findByText(words.unknown)).toBeTruthy();
});

test("the next photo that waits for its review follows, and one's own choice of a style is applied to all", async () => {
  setOutcome((job) => completed(job, { redo_until: SOON }));
  const app = renderApp();
  await addPhoto(app, "done.jpg");
  setOutcome((job) => inReview(job));
  await addPhoto(app, "first.jpg");
  location.hash = `photo=${await addPhoto(app, "second.jpg")}`;
  await faceBox();
  expect(screen.getByText(words.position(1, 3))).toBeTruthy();
  await app.user.click(screen.getByText(words.photoStyle));
  await app.user.click(screen.getByRole("button", { name: words.applyToAll }));
  expect(await screen.findByText(`${words.applied(1)} ${words.leftOut(1, words.reasons.review)}`)).toBeTruthy();
  expect(requests.redone).toMatchObject([{ style: "blur" }]);
  await app.user.click(screen.getByRole("button", { name: words.finish }));
  expect(await screen.findByRole("dialog", { name: words.title("first.jpg") })).toBeTruthy();
  expect(requests.reviewed).toEqual([{}]);
});

/** Makes the answer to a request wait until the returned function is called. */
function holdAnswer(method: "put" | "post", path: string) {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  server.use(http[method](path, () => held, { once: true }));
  return release;
}

const inWork = () => waitFor(() => expect(document.querySelector(".status.is-working")).toBeTruthy());

test("if the editor is closed before the answer arrives, the page is not left", async () => {
  setOutcome((job) => inReview(job));
  const app = renderApp();
  await addPhoto(app);
  await faceBox();
  const release = holdAnswer("put", "/api/jobs/:id/review");
  const back = vi.spyOn(history, "back");
  await app.user.click(screen.getByRole("button", { name: words.finish }));
  await app.user.dblClick(screen.getByRole("button", { name: words.close }));
  await isClosed();
  expect(back).toHaveBeenCalledTimes(1);
  release();
  await inWork();
  expect(back).toHaveBeenCalledTimes(1);
});

test("if the person goes on to another photo before the answer arrives, that one stays open", async () => {
  setOutcome((job) => completed(job, { redo_until: SOON }));
  const app = renderApp();
  await addPhoto(app, "other.jpg");
  location.hash = `photo=${await addPhoto(app, "first.jpg")}`;
  await app.user.click(await faceBox());
  const release = holdAnswer("post", "/api/jobs/:id/redo");
  const back = vi.spyOn(history, "back");
  await app.user.click(screen.getByRole("button", { name: words.finishNone }));
  await app.user.click(screen.getByRole("button", { name: words.next }));
  await screen.findByRole("dialog", { name: words.title("other.jpg") });
  release();
  await inWork();
  expect(back).not.toHaveBeenCalled();
});

test("with the address of no editor, there is nothing to close", () => {
  const back = vi.spyOn(history, "back");
  closeEditor();
  expect(back).not.toHaveBeenCalled();
});

test("applying a style to all photos goes on after a refusal, and tells how many are left out and why", async () => {
  setOutcome((job) => completed(job, { redo_until: SOON }));
  const app = renderApp();
  for (const name of ["a.jpg", "b.jpg", "c.jpg"]) await addPhoto(app, name);
  setOutcome((job) => inReview(job));
  await addPhoto(app, "review.jpg");
  const message = "Too many jobs today.";
  server.use(
    http.post("/api/jobs/:id/redo", () => HttpResponse.json({ code: "Busy", message }, { status: 429 }), {
      once: true,
    }),
  );
  location.hash = `photo=${app.store.snapshot()[1]!.id}`;
  await faceBox();
  await app.user.click(screen.getByText(words.photoStyle));
  await app.user.click(screen.getByRole("button", { name: words.applyToAll }));
  const answer = [words.applied(1), words.leftOut(1, words.reasons.review), words.leftOut(1, message)].join(" ");
  expect(await screen.findByText(answer)).toBeTruthy();
});

test("the editor does not open by itself for a photo that another tab added", async () => {
  renderApp();
  const jobId = otherJob((job) => inReview(job));
  history.replaceState(null, "", "/");
  const id = "from-another-tab";
  const sent = { id, name: "street.jpg", bytes: 1, addedAt: Date.now(), place: 0, choices: DEFAULTS, stage: "sent" };
  const stored = { ...sent, jobId, sentAt: Date.now(), forgetAt: Date.now() + 1e6 };
  localStorage.setItem(`faceblur.photo.${id}`, JSON.stringify(stored));
  window.dispatchEvent(new StorageEvent("storage", { key: `faceblur.photo.${id}`, storageArea: localStorage }));
  expect(await screen.findByRole("link", { name: `${texts.card.review} street.jpg` })).toBeTruthy();
  expect(location.hash).toBe("");
});

/** The messages that another tab of this browser gets and sends. */
function otherTab() {
  const channel = new BroadcastChannel("faceblur.jobs");
  onTestFinished(() => channel.close());
  const heard: unknown[] = [];
  channel.onmessage = ({ data }) => heard.push(data);
  return { channel, heard };
}

test("a decision is told to the other tabs, which ask for the finished job again", async () => {
  setOutcome((job) => completed(job, { redo_until: SOON }));
  const app = renderApp();
  await addPhoto(app);
  await screen.findByText(texts.result.hidden(faces(1)));
  const jobId = app.store.snapshot()[0]!.jobId!;
  const { channel, heard } = otherTab();
  jobs.set(jobId, completed(jobs.get(jobId)!, { redo_until: SOON, hidden: faces(2) }));
  channel.postMessage(jobId);
  expect(await screen.findByText(texts.result.hidden(faces(2)))).toBeTruthy();
  await redoJob(jobId, {});
  await reviewJob(jobId, {});
  await eventually(() => expect(heard).toEqual([jobId, jobId]));
});

test.each(["refused", "failed"])("if a replacing job is %s, the earlier result can be kept", async (how) => {
  setOutcome((job) => completed(job));
  const app = renderApp();
  const id = await addPhoto(app);
  const first = app.store.snapshot()[0]!.jobId!;
  setOutcome((job) => failed(job, "TimedOut", "Too slow."));
  if (how === "refused") {
    server.use(
      http.post("/api/jobs", () => HttpResponse.json({ code: "Busy", message: "Too slow." }, { status: 429 })),
    );
  }
  location.hash = `photo=${id}`;
  await app.user.click(await faceBox());
  await app.user.click(screen.getByRole("button", { name: words.finishNone }));
  await isClosed();
  expect(await screen.findByText("Too slow.")).toBeTruthy();
  await app.user.click(screen.getByRole("button", { name: `${texts.card.keepEarlier}: street.jpg` }));
  expect(await screen.findByText(texts.result.hidden(faces(1)))).toBeTruthy();
  expect(app.store.snapshot()[0]).toMatchObject({ stage: "sent", jobId: first });
  await eventually(() => expect([...jobs.keys()]).toEqual([first]));
});
