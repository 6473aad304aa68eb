import { QueryClient, QueryClientProvider, timeoutManager } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { App } from "./app";
import { DEFAULTS } from "../jobs/choices";
import type { Job, WarningCode } from "../jobs/job";
import { forgetFile } from "../features/upload/photo-files";
import { PhotoStore } from "../features/upload/photo-store";
import { PhotoStoreContext } from "../features/upload/use-photos";
import { photo } from "../testing/files";
import { completed, failed, inReview, jobs, requests, server, setOutcome, STORAGE_URL, faces } from "../testing/server";
import { texts } from "../texts";

// The page polls ten times as often, so that tests do not wait for it.
timeoutManager.setTimeoutProvider({
  setTimeout: (callback, delay) => window.setTimeout(callback, delay),
  clearTimeout: (id) => window.clearTimeout(id),
  setInterval: (callback, delay) => window.setInterval(callback, delay / 10),
  clearInterval: (id) => window.clearInterval(id),
});

function renderApp() {
  const store = new PhotoStore();
  onTestFinished(store.open());
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <PhotoStoreContext value={store}>
        <App />
      </PhotoStoreContext>
    </QueryClientProvider>,
  );
  return userEvent.setup({ applyAccept: false });
}

const add = (user: ReturnType<typeof renderApp>, ...files: File[]) =>
  user.upload(screen.getByLabelText(texts.drop.choose, { selector: "input" }), files);
const card = (name: string) => screen.getByRole("article", { name });

// The packer needs the blobs of a real browser. The browser tests use it.
const packed = vi.hoisted(() => ({ names: [] as string[] }));
const fakePacker = vi.hoisted(() => () => ({
  downloadZip: (files: File[]) => {
    packed.names = files.map(({ name }) => name);
    return new Response("packed");
  },
}));
vi.mock("client-zip", fakePacker);

/** A warning code that this version of the page does not know yet. */
const NEW_WARNING = "Novelty" as WarningCode;

/** Collects the names of the files that the page saves. */
function collectSavedNames() {
  const names: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    names.push(this.download);
  });
  return names;
}

test("the result of a photo is shown with its warnings and can be downloaded", async () => {
  setOutcome((job) => completed(job, { warnings: ["NearSizeLimit", NEW_WARNING], hidden: faces(2) }));
  const names = collectSavedNames();
  const user = renderApp();
  expect(screen.getByText(texts.list.empty)).toBeTruthy();
  await add(user, photo());

  const view = within(card("street.jpg"));
  await waitFor(() => expect(view.getByText(texts.result.hidden(faces(2)))).toBeTruthy());
  expect(view.getByText(texts.warnings.NearSizeLimit)).toBeTruthy();
  expect(view.getByText(texts.unknownWarning(NEW_WARNING))).toBeTruthy();
  expect(view.getByText("Checked once: nothing more was found.")).toBeTruthy();
  expect(view.getByText(/Removed from the file: EXIF/)).toBeTruthy();
  expect(view.getByText(/Deleted automatically in 23 h/)).toBeTruthy();
  expect(document.querySelector("[aria-live]")?.textContent).toContain(texts.result.hidden(faces(2)));

  const slider = await view.findByRole("slider", { name: texts.result.slider("street.jpg") });
  expect(slider.getAttribute("aria-valuenow")).toBe("50");

  await user.click(view.getByRole("button", { name: `${texts.result.download} street.jpg` }));
  await user.click(view.getByRole("button", { name: `${texts.result.receipt} street.jpg` }));
  await waitFor(() => expect(names).toEqual(["street-blurred.jpg", "street-receipt.json"]));
});

test("boxes are loaded and shown on request", async () => {
  setOutcome((job) => completed(job));
  const user = renderApp();
  await add(user, photo());
  const toggle = await screen.findByRole("button", { name: `${texts.result.showBoxes} street.jpg` });
  expect(screen.queryByRole("region", { name: texts.boxes.label("street.jpg") })).toBeNull();
  await user.click(toggle);
  const list = await screen.findByRole("region", { name: texts.boxes.label("street.jpg") });
  expect(list.textContent).toBe("99 % sure · own detector");
  expect(document.querySelector(".boxes")).toBeTruthy();
  await user.click(toggle);
  expect(screen.queryByRole("region", { name: texts.boxes.label("street.jpg") })).toBeNull();
  expect(document.querySelector(".boxes")).toBeNull();
});

test("a photo that waits for a decision leads to the editor, and shows no result", async () => {
  setOutcome((job) => inReview(job));
  const user = renderApp();
  await add(user, photo());
  const view = within(card("street.jpg"));
  const link = await view.findByRole("link", { name: `${texts.card.review} street.jpg` });
  expect(link.getAttribute("href")).toBe(`#photo=${card("street.jpg").id.replace("photo-", "")}`);
  expect(view.getByText(texts.card.states.review)).toBeTruthy();
  expect(view.getByText(/^1 face found\. .* erased in 19 h 59 min\.$/)).toBeTruthy();
  expect(view.queryByRole("button", { name: /Download/ })).toBeNull();
});

test("a completed photo can be changed", async () => {
  setOutcome((job) => completed(job, { hidden: faces(3), kept: faces(1), reviewed: true }));
  const user = renderApp();
  await add(user, photo());
  const link = await screen.findByRole("link", { name: `${texts.card.change} street.jpg` });
  expect(link.getAttribute("href")).toMatch(/^#photo=/);
  expect(screen.getByText("3 faces hidden, 1 kept visible")).toBeTruthy();
});

test.each([
  ["NothingFound", "done"],
  ["BelowConfidence", "look"],
  ["ChecksNotSettled", "look"],
] as const)("a result with the warning %s must be looked at; if it was reviewed, it is: %s", async (code, state) => {
  setOutcome((job) => completed(job, { warnings: [code] }));
  const user = renderApp();
  await add(user, photo());
  const statusOf = (name: string) => card(name).querySelector(".status")!.className;
  await waitFor(() => expect(statusOf("street.jpg")).toBe("status is-look"));
  setOutcome((job) => completed(job, { warnings: [code], reviewed: true }));
  await add(user, photo("seen.jpg"));
  await waitFor(() => expect(statusOf("seen.jpg")).toBe(`status is-${state}`));
});

test("while a photo is done again, its last result stays visible", async () => {
  setOutcome((job) => ({ ...completed(job), status: "PROCESSING" }));
  const user = renderApp();
  await add(user, photo());
  const view = within(card("street.jpg"));
  expect(await view.findByText(texts.card.redoing)).toBeTruthy();
  expect(view.getByText(texts.card.states.working)).toBeTruthy();
  expect(await view.findByRole("slider")).toBeTruthy();
  expect(view.queryByRole("button", { name: /Download/ })).toBeNull();
  for (const [id, job] of jobs) {
    const redo_error = { code: "TimedOut" as const, message: "The photo took too long." };
    jobs.set(id, completed(job, { redo_error }));
  }
  expect(await view.findByText(texts.card.redoFailed("The photo took too long."))).toBeTruthy();
  expect(view.getByRole("button", { name: `${texts.result.download} street.jpg` })).toBeTruthy();
});

describe("several photos", () => {
  /** Adds photos whose names say how they end. */
  async function addAll(user: ReturnType<typeof renderApp>, ...names: string[]) {
    const ends: ((job: Job) => Job)[] = names.map((name) => {
      if (name.startsWith("review")) return inReview;
      if (name.startsWith("failed")) return (job) => failed(job, "CorruptImage", "This photo is damaged.");
      if (name.startsWith("none")) return (job) => completed(job, { hidden: faces(0), warnings: ["NothingFound"] });
      return completed;
    });
    setOutcome((job) => ends.shift()!(job));
    for (const name of names) {
      await add(user, photo(name));
      await waitFor(() => expect(ends).toHaveLength(names.length - names.indexOf(name) - 1));
    }
  }

  const shownNames = () => screen.getAllByRole("heading", { level: 3 }).map(({ textContent }) => textContent);

  test("are counted by state, and shown by state if wanted", async () => {
    const user = renderApp();
    await addAll(user, "a.jpg", "b.jpg", "review.jpg", "failed.jpg");
    expect(await screen.findByText("2 done, 1 to review, 1 failed")).toBeTruthy();
    await user.click(screen.getByRole("radio", { name: texts.card.states.review }));
    expect(shownNames()).toEqual(["review.jpg"]);
    expect(screen.queryByRole("button", { name: /Download/ })).toBeNull();
    await user.click(screen.getByRole("radio", { name: texts.card.states.done }));
    expect(shownNames()).toEqual(["b.jpg", "a.jpg"]);
    await user.click(screen.getByRole("radio", { name: texts.list.all }));
    expect(shownNames()).toEqual(["failed.jpg", "review.jpg", "b.jpg", "a.jpg"]);
  });

  test("are deleted as they are shown, and their number is announced", async () => {
    const user = renderApp();
    await addAll(user, "a.jpg", "b.jpg", "review.jpg", "failed.jpg");
    await user.click(await screen.findByRole("radio", { name: texts.card.states.failed }));
    await user.click(screen.getByRole("button", { name: texts.list.deleteShown(1) }));
    await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: texts.confirm.yes }));
    expect(await screen.findByText("1 photo deleted.")).toBeTruthy();
    await user.click(screen.getByRole("radio", { name: texts.list.all }));
    expect(shownNames()).toEqual(["review.jpg", "b.jpg", "a.jpg"]);
  });

  test("are downloaded as they are shown, with a word about the others", async () => {
    const names = collectSavedNames();
    const user = renderApp();
    await addAll(user, "a.jpg", "a.png", "none.jpg", "review.jpg", "failed.jpg");
    expect(
      await screen.findByText(/^Leaves out 1 to review and 1 failed\. Includes 1 marked “Please look”\.$/),
    ).toBeTruthy();
    await user.click(screen.getByRole("button", { name: texts.list.download(3) }));
    await waitFor(() => expect(names).toEqual([texts.list.zipName]));
    expect(packed.names).toEqual(["none-nothing-hidden.jpg", "a-blurred.jpg", "a-blurred-2.jpg"]);

    await user.click(screen.getByRole("radio", { name: texts.card.states.look }));
    await user.click(screen.getByRole("button", { name: texts.list.download(1) }));
    await waitFor(() => expect(names).toEqual([texts.list.zipName, "none-nothing-hidden.jpg"]));
  });

  test("have names with the suffix that the person chose, which is remembered and may be empty in a ZIP file", async () => {
    const names = collectSavedNames();
    const user = renderApp();
    await addAll(user, "a.jpg", "b.jpg");
    const suffix = await screen.findByLabelText(texts.list.suffix.label);
    await user.clear(suffix);
    expect(JSON.parse(localStorage.getItem("faceblur.list")!)).toMatchObject({ suffix: "" });
    await user.click(await screen.findByRole("button", { name: texts.list.download(2) }));
    await waitFor(() => expect(packed.names).toEqual(["b.jpg", "a.jpg"]));
    await user.click(screen.getByRole("button", { name: `${texts.result.download} a.jpg` }));
    await user.type(suffix, "-s/afe");
    await user.click(screen.getByRole("button", { name: `${texts.result.download} a.jpg` }));
    expect(names).toEqual([texts.list.zipName, "a-blurred.jpg", "a-safe.jpg"]);
  });

  test("can be shown as a grid, which is remembered", async () => {
    const user = renderApp();
    await addAll(user, "a.jpg", "none.jpg", "review.jpg", "failed.jpg");
    await user.click(screen.getByRole("radio", { name: texts.list.views.grid }));
    expect(JSON.parse(localStorage.getItem("faceblur.list")!)).toMatchObject({ view: "grid" });
    expect(screen.queryByRole("slider", { name: /Before and after/ })).toBeNull();
    expect(within(card("a.jpg")).getByText(texts.result.hidden(faces(1)))).toBeTruthy();
    expect(within(card("none.jpg")).getByText(texts.result.none(["face"]))).toBeTruthy();
    expect(within(card("review.jpg")).getByRole("link", { name: `${texts.card.review} review.jpg` })).toBeTruthy();
    expect(within(card("failed.jpg")).getByText("This photo is damaged.")).toBeTruthy();
    const names = collectSavedNames();
    await user.click(await within(card("a.jpg")).findByRole("button", { name: `${texts.result.download} a.jpg` }));
    expect(names).toEqual(["a-blurred.jpg"]);
  });

  test("can be shared as files on a phone", async () => {
    const shared: string[][] = [];
    Object.assign(navigator, {
      canShare: () => true,
      share: ({ files }: { files: File[] }) => {
        shared.push(files.map(({ name }) => name));
        return shared.length === 2 ? Promise.reject(new DOMException("no", "NotAllowedError")) : Promise.resolve();
      },
    });
    onTestFinished(() => {
      Reflect.deleteProperty(navigator, "share");
      Reflect.deleteProperty(navigator, "canShare");
    });
    const user = renderApp();
    await addAll(user, "a.jpg", "b.jpg");
    await user.click(await screen.findByRole("button", { name: texts.list.share(2) }));
    await waitFor(() => expect(shared).toEqual([["b-blurred.jpg", "a-blurred.jpg"]]));
    await user.click(await screen.findByRole("button", { name: `${texts.result.share} a.jpg` }));
    expect(shared[1]).toEqual(["a-blurred.jpg"]);
    expect(await screen.findByText(texts.failures.notShared)).toBeTruthy();
  });
});

test("all results can be downloaded in one file", async () => {
  setOutcome((job) => completed(job));
  const names = collectSavedNames();
  const user = renderApp();
  await add(user, photo("a.jpg"), photo("b.jpg"));
  await user.click(await screen.findByRole("button", { name: texts.list.download(2) }));
  await waitFor(() => expect(names).toEqual([texts.list.zipName]));
});

test("a result that cannot be loaded does not hold up the download of the others", async () => {
  setOutcome((job) => completed(job));
  server.use(
    http.get(`${STORAGE_URL}/results/:id`, ({ params }) =>
      jobs.get(params["id"] as string)?.options.style === "solid"
        ? new HttpResponse(null, { status: 404 })
        : HttpResponse.text("done"),
    ),
  );
  const names = collectSavedNames();
  const user = renderApp();
  await add(user, photo("a.jpg"), photo("b.jpg"));
  await user.click(screen.getByRole("radio", { name: texts.options.style.solid }));
  await add(user, photo("gone.jpg"));
  await user.click(await screen.findByRole("button", { name: texts.list.download(3) }));
  expect(await screen.findByText(texts.list.missing(["gone.jpg"]))).toBeTruthy();
  await waitFor(() => expect(names).toEqual([texts.list.zipName]));
  expect(packed.names).toEqual(["a-blurred.jpg", "b-blurred.jpg"]);
});

test("if a newer version has replaced the packer, downloading all results reports it", async () => {
  onTestFinished(() => void vi.doMock("client-zip", fakePacker));
  vi.doMock("client-zip", () => {
    throw new Error("404");
  });
  vi.resetModules();
  const { zip } = await import("../features/results/zip");
  await expect(zip([])).rejects.toMatchObject({ message: texts.failures.outdated });
});

test("if a newer version has replaced the zoom dialog, the rest of the page still works", async () => {
  onTestFinished(() => void vi.doUnmock("../features/results/zoom-dialog"));
  vi.doMock("../features/results/zoom-dialog", () => {
    throw new Error("404");
  });
  vi.mocked(console.error).mockImplementation(() => undefined);
  setOutcome((job) => completed(job));
  const user = renderApp();
  await add(user, photo());
  const enlarge = await screen.findByRole("button", { name: `${texts.result.enlarge} street.jpg` });
  await waitFor(() => expect(enlarge).toHaveProperty("disabled", false));
  await user.click(enlarge);
  expect(await screen.findByText(texts.failures.outdated)).toBeTruthy();
  expect(screen.getByRole("button", { name: `${texts.result.download} street.jpg` })).toBeTruthy();
  vi.mocked(console.error).mockClear(); // React logs the error that the boundary caught
});

test("a result without a face has a warning", async () => {
  setOutcome((job) => completed(job, { hidden: faces(0), warnings: ["NothingFound"] }));
  const user = renderApp();
  await add(user, photo());
  expect(await screen.findByText(texts.result.none(["face"]))).toBeTruthy();
  expect(screen.getByText(texts.warnings.NothingFound)).toBeTruthy();
});

test("a retry without the photo's file shows why and keeps the result", async () => {
  setOutcome((job) => completed(job, { hidden: faces(0), warnings: ["NothingFound"] }));
  const user = renderApp();
  await add(user, photo());
  const again = await screen.findByRole("button", { name: `${texts.remedies.lower}: street.jpg` });
  await forgetFile(card("street.jpg").id.replace("photo-", ""));
  await user.click(again);
  const view = within(card("street.jpg"));
  expect(await view.findByText(texts.failures.forgotten)).toBeTruthy();
  expect(view.getByText(texts.result.none(["face"]))).toBeTruthy();
});

test.each([
  [2, 1, "Checked twice: the first check found 1 more, which is hidden too."],
  [2, 3, "Checked twice: the first check found 3 more, which are hidden too."],
  [4, 1234, "Checked 4 times: the checks found 1,234 more, which are hidden too."],
])("a result of %i checks that found %i more faces says so", async (check_rounds, missed_at_first, sentence) => {
  setOutcome((job) => completed(job, { hidden: faces(2000), missed_at_first, check_rounds }));
  const user = renderApp();
  await add(user, photo());
  expect(await screen.findByText(sentence)).toBeTruthy();
  expect(screen.getByText("2,000 faces hidden")).toBeTruthy();
  expect(document.querySelector(".notice")).toBeNull();
});

test("a result whose last check still found a face has a warning", async () => {
  setOutcome((job) =>
    completed(job, { hidden: faces(7), missed_at_first: 5, check_rounds: 5, warnings: ["ChecksNotSettled"] }),
  );
  const user = renderApp();
  await add(user, photo());
  expect(
    await screen.findByText(/It is hidden too, but the photo was not checked again\..* before you publish it\./),
  ).toBeTruthy();
  expect(screen.getByRole("button", { name: `${texts.result.enlarge} street.jpg` })).toBeTruthy();
});

test("a failure shows the API's sentence and a button that helps", async () => {
  setOutcome((job) => failed(job, "NothingFound", "No face was found in this photo."));
  const user = renderApp();
  await add(user, photo());
  expect(await screen.findByText("No face was found in this photo.")).toBeTruthy();
  setOutcome((job) => completed(job));
  await user.click(screen.getByRole("button", { name: `${texts.remedies.lower}: street.jpg` }));
  expect(await screen.findByText(texts.result.hidden(faces(1)))).toBeTruthy();
  expect(requests.created.map(({ min_confidence }) => min_confidence)).toEqual([DEFAULTS.min_confidence, 20]);
});

test("if only another photo helps, there is no button to try again", async () => {
  const user = renderApp();
  await add(user, new File(["these are words"], "text.jpg"));
  expect(await screen.findByText(texts.failures.unsupported)).toBeTruthy();
  const buttons = within(card("text.jpg")).getAllByRole("button");
  expect(buttons.map((button) => button.textContent)).toEqual([texts.card.remove]);
});

test("during a network failure the page says so and keeps trying", async () => {
  const user = renderApp();
  await add(user, photo());
  await screen.findByText(texts.steps.detect);
  server.use(http.get("/api/jobs/:id", () => HttpResponse.error()));
  expect(await screen.findByText(texts.card.connectionLost)).toBeTruthy();
  server.resetHandlers();
  for (const [id, job] of jobs) jobs.set(id, completed(job));
  expect(await screen.findByText(texts.result.hidden(faces(1)))).toBeTruthy();
  expect(screen.queryByText(texts.card.connectionLost)).toBeNull();
});

test("a photo whose job was deleted says so and can be removed", async () => {
  const user = renderApp();
  await add(user, photo());
  await screen.findByText(texts.steps.detect);
  jobs.clear();
  expect(await screen.findByText(texts.card.expired)).toBeTruthy();
  await user.click(screen.getByRole("button", { name: `${texts.card.remove} street.jpg` }));
  expect(await screen.findByText(texts.list.empty)).toBeTruthy();
});

test("deleting needs a confirmation and erases the job", async () => {
  setOutcome((job) => completed(job));
  const user = renderApp();
  await add(user, photo("a.jpg"), photo("b.jpg"));
  await screen.findByRole("button", { name: texts.list.download(2) });

  await user.click(screen.getByRole("button", { name: `${texts.card.deleteNow} a.jpg` }));
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: texts.confirm.no }));
  expect(requests.deleted).toEqual([]);

  await user.click(screen.getByRole("button", { name: `${texts.card.deleteNow} a.jpg` }));
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: texts.confirm.yes }));
  await waitFor(() => expect(screen.queryByRole("article", { name: "a.jpg" })).toBeNull());
  expect(document.activeElement).toBe(card("b.jpg"));
  expect(requests.deleted).toHaveLength(1);
  expect(jobs.size).toBe(1);
});

test("a photo that could not be deleted says so and stays", async () => {
  setOutcome((job) => completed(job));
  const user = renderApp();
  await add(user, photo());
  await screen.findByText(texts.result.hidden(faces(1)));
  server.use(http.delete("/api/jobs/:id", () => HttpResponse.error()));
  await user.click(screen.getByRole("button", { name: `${texts.card.deleteNow} street.jpg` }));
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: texts.confirm.yes }));
  expect(await screen.findByText(texts.failures.notDeleted)).toBeTruthy();
  expect(card("street.jpg")).toBeTruthy();
});

test("all photos can be deleted together", async () => {
  const user = renderApp();
  await add(user, photo("a.jpg"), photo("b.jpg"));
  await waitFor(() => expect(screen.getAllByText(texts.steps.detect)).toHaveLength(2));
  await user.click(screen.getByRole("button", { name: texts.list.deleteAll }));
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: texts.confirm.yes }));
  expect(await screen.findByText(texts.list.empty)).toBeTruthy();
  await waitFor(() => expect(jobs.size).toBe(0));
});

test("the choices apply to the next photo and are remembered", async () => {
  const user = renderApp();
  await user.click(screen.getByRole("radio", { name: texts.options.style.pixelate }));
  await add(user, photo());
  await waitFor(() => expect(requests.created).toMatchObject([{ style: "pixelate" }]));
  expect(JSON.parse(localStorage.getItem("faceblur.options")!)).toMatchObject({ style: "pixelate" });
});

test("photos can be pasted", async () => {
  renderApp();
  const paste = new Event("paste");
  Object.assign(paste, { clipboardData: { files: [photo("pasted.png")] } });
  document.dispatchEvent(paste);
  expect(await screen.findByRole("article", { name: "pasted.png" })).toBeTruthy();
});

test("the theme can be light, dark or the system's", async () => {
  const user = renderApp();
  await user.click(screen.getByRole("radio", { name: texts.theme.dark }));
  expect(document.documentElement.dataset["theme"]).toBe("dark");
  expect(localStorage.getItem("faceblur.theme")).toBe("dark");
  await user.click(screen.getByRole("radio", { name: texts.theme.system }));
  expect(document.documentElement.dataset["theme"]).toBeUndefined();
});
