import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";
import { App } from "./app";
import { DEFAULTS, jobOptions, rememberChoices } from "../jobs/choices";
import type { Job } from "../jobs/job";
import { forgetFile } from "../features/upload/photo-files";
import { PhotoStore } from "../features/upload/photo-store";
import { PhotoStoreContext } from "../features/upload/use-photos";
import { eventually } from "../testing/eventually";
import { photo } from "../testing/files";
import { BOX, completed, failed, inReview, jobs, requests, server, setOutcome } from "../testing/server";
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

const editor = () => screen.findByRole("dialog", { name: /^Who is hidden in/ });
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

test("a new style for a photo in review becomes the style of each of its faces", async () => {
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
  expect(requests.created[1]).toMatchObject({ keep: [{ left, top, width, height }], review: "never" });
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
  expect(await screen.findByText(words.applied(1))).toBeTruthy();
  expect(requests.redone).toMatchObject([{ style: "blur" }]);
  await app.user.click(screen.getByRole("button", { name: words.finish }));
  expect(await screen.findByRole("dialog", { name: words.title("first.jpg") })).toBeTruthy();
  expect(requests.reviewed).toEqual([{}]);
});
