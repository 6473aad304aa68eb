import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";
import { App } from "./app";
import { DEFAULTS } from "./features/options/options";
import { forgetFile } from "./features/photos/photo-files";
import { PhotoStore } from "./features/photos/photo-store";
import { PhotoStoreContext } from "./features/photos/use-photos";
import { photo } from "./testing/files";
import { asked, completed, failed, jobs, outcomeIs, server } from "./testing/server";
import { texts } from "./texts";

function shown() {
  const store = new PhotoStore();
  store.open();
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <PhotoStoreContext value={store}>
        <App />
      </PhotoStoreContext>
    </QueryClientProvider>,
  );
  return userEvent.setup({ applyAccept: false });
}

const add = (user: ReturnType<typeof shown>, ...files: File[]) =>
  user.upload(screen.getByLabelText(texts.drop.choose, { selector: "input" }), files);
const card = (name: string) => screen.getByRole("article", { name });

// The packer wants the browser's own blobs; the browser tests use it.
vi.mock("client-zip", () => ({ downloadZip: () => new Response("packed") }));

/** The name and content of what the page saves. */
function saved() {
  const names: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    names.push(this.download);
  });
  return names;
}

test("a photo comes back with its face hidden", async () => {
  outcomeIs((job) => completed(job, { warnings: ["FacesNearSizeLimit", "Novelty"], faces: 2 }));
  const names = saved();
  const user = shown();
  expect(screen.getByText(texts.list.empty)).toBeTruthy();
  await add(user, photo());

  const view = within(card("street.jpg"));
  await waitFor(() => expect(view.getByText(texts.result.hidden(2))).toBeTruthy());
  expect(view.getByText(texts.warnings["FacesNearSizeLimit"]!)).toBeTruthy();
  expect(view.getByText(texts.unknownWarning("Novelty"))).toBeTruthy();
  expect(view.getByText("Checked once: no more faces were found.")).toBeTruthy();
  expect(view.getByText(/Removed from the file: EXIF/)).toBeTruthy();
  expect(view.getByText(/Deleted automatically in 23 h/)).toBeTruthy();
  expect(document.querySelector("[aria-live]")?.textContent).toContain(texts.result.hidden(2));

  const slider = await view.findByRole("slider", { name: texts.result.slider("street.jpg") });
  expect(slider.getAttribute("aria-valuenow")).toBe("50");

  await user.click(view.getByRole("button", { name: texts.result.download }));
  await user.click(view.getByRole("button", { name: texts.result.receipt }));
  await waitFor(() => expect(names).toEqual(["street-blurred.jpg", "street-receipt.json"]));
});

test("boxes are fetched and shown when they are asked for", async () => {
  outcomeIs((job) => completed(job));
  const user = shown();
  await add(user, photo());
  const toggle = await screen.findByRole("button", { name: texts.result.boxes });
  expect(screen.queryByRole("region", { name: texts.boxes.label })).toBeNull();
  await user.click(toggle);
  const list = await screen.findByRole("region", { name: texts.boxes.label });
  expect(list.textContent).toBe("99 % sure · own detector");
  expect(document.querySelector(".boxes")).toBeTruthy();
  await user.click(toggle);
  expect(screen.queryByRole("region", { name: texts.boxes.label })).toBeNull();
  expect(document.querySelector(".boxes")).toBeNull();
});

test("all results come in one file", async () => {
  outcomeIs((job) => completed(job));
  const names = saved();
  const user = shown();
  await add(user, photo("a.jpg"), photo("b.jpg"));
  await user.click(await screen.findByRole("button", { name: texts.list.downloadAll(2) }));
  await waitFor(() => expect(names).toEqual([texts.list.zipName]));
});

test("where a newer page has replaced the packer, all results say so", async () => {
  vi.doMock("client-zip", () => {
    throw new Error("404");
  });
  vi.resetModules();
  const { zip } = await import("./features/results/zip");
  await expect(zip([])).rejects.toMatchObject({ message: texts.failures.outdated });
});

test("where a newer page has replaced the enlargement, the rest of the page stays", async () => {
  vi.doMock("./features/results/zoom-dialog", () => {
    throw new Error("404");
  });
  vi.mocked(console.error).mockImplementation(() => undefined);
  outcomeIs((job) => completed(job));
  const user = shown();
  await add(user, photo());
  const enlarge = await screen.findByRole("button", { name: texts.result.enlarge });
  await waitFor(() => expect(enlarge).toHaveProperty("disabled", false));
  await user.click(enlarge);
  expect(await screen.findByText(texts.failures.outdated)).toBeTruthy();
  expect(screen.getByRole("button", { name: texts.result.download })).toBeTruthy();
  vi.mocked(console.error).mockClear(); // React tells what the boundary caught
});

test("a photo without a face says so", async () => {
  outcomeIs((job) => completed(job, { faces: 0, warnings: ["NoFacesFound"] }));
  const user = shown();
  await add(user, photo());
  expect(await screen.findByText(texts.result.none)).toBeTruthy();
  expect(screen.getByText(texts.warnings["NoFacesFound"]!)).toBeTruthy();
});

test("a result stays where its photo is no longer there to try again", async () => {
  outcomeIs((job) => completed(job, { faces: 0, warnings: ["NoFacesFound"] }));
  const user = shown();
  await add(user, photo());
  const again = await screen.findByRole("button", { name: texts.remedies.lower });
  await forgetFile(card("street.jpg").id.replace("photo-", ""));
  await user.click(again);
  const view = within(card("street.jpg"));
  expect(await view.findByText(texts.failures.forgotten)).toBeTruthy();
  expect(view.getByText(texts.result.none)).toBeTruthy();
});

test.each([
  [2, 1, "Checked twice: the first check found 1 more face, which is hidden too."],
  [2, 3, "Checked twice: the first check found 3 more faces, which are hidden too."],
  [4, 1234, "Checked 4 times: the checks found 1,234 more faces, which are hidden too."],
])("a result of %i checks tells what they found", async (check_rounds, missed_at_first, sentence) => {
  outcomeIs((job) => completed(job, { faces: 2000, missed_at_first, check_rounds }));
  const user = shown();
  await add(user, photo());
  expect(await screen.findByText(sentence)).toBeTruthy();
  expect(screen.getByText("2,000 faces hidden")).toBeTruthy();
  expect(document.querySelector(".notice")).toBeNull();
});

test("where the last check still found a face, the result warns", async () => {
  outcomeIs((job) => completed(job, { faces: 7, missed_at_first: 5, check_rounds: 5, warnings: ["ChecksNotSettled"] }));
  const user = shown();
  await add(user, photo());
  expect(
    await screen.findByText(/It is hidden too, but was not checked again\..* before you publish it\./),
  ).toBeTruthy();
  expect(screen.getByRole("button", { name: texts.result.enlarge })).toBeTruthy();
});

test("a failure shows the API's sentence and what to do", async () => {
  outcomeIs((job) => failed(job, "NoFacesFound", "No face was found in this photo."));
  const user = shown();
  await add(user, photo());
  expect(await screen.findByText("No face was found in this photo.")).toBeTruthy();
  outcomeIs((job) => completed(job));
  await user.click(screen.getByRole("button", { name: texts.remedies.lower }));
  expect(await screen.findByText(texts.result.hidden(1))).toBeTruthy();
  expect(asked.created.map(({ min_confidence }) => min_confidence)).toEqual([DEFAULTS.min_confidence, 20]);
});

test("where only another photo helps, there is no button to try again", async () => {
  const user = shown();
  await add(user, new File(["these are words"], "text.jpg"));
  expect(await screen.findByText(texts.failures.unsupported)).toBeTruthy();
  const buttons = within(card("text.jpg")).getAllByRole("button");
  expect(buttons.map((button) => button.textContent)).toEqual([texts.card.remove]);
});

test("while the network is away the page keeps asking and says so", async () => {
  const user = shown();
  await add(user, photo());
  await screen.findByText(texts.steps.detect);
  server.use(http.get("/api/jobs/:id", () => HttpResponse.error()));
  expect(await screen.findByText(texts.card.lost)).toBeTruthy();
  server.resetHandlers();
  for (const [id, job] of jobs) jobs.set(id, completed(job));
  expect(await screen.findByText(texts.result.hidden(1))).toBeTruthy();
  expect(screen.queryByText(texts.card.lost)).toBeNull();
});

test("a job that is gone says so, and can be removed", async () => {
  const user = shown();
  await add(user, photo());
  await screen.findByText(texts.steps.detect);
  jobs.clear();
  expect(await screen.findByText(texts.card.expired)).toBeTruthy();
  await user.click(screen.getByRole("button", { name: `${texts.card.remove} street.jpg` }));
  expect(await screen.findByText(texts.list.empty)).toBeTruthy();
});

test("deleting asks first, and then leaves nothing", async () => {
  outcomeIs((job) => completed(job));
  const user = shown();
  await add(user, photo("a.jpg"), photo("b.jpg"));
  await screen.findByRole("button", { name: texts.list.downloadAll(2) });

  await user.click(screen.getByRole("button", { name: `${texts.card.deleteNow} a.jpg` }));
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: texts.confirm.no }));
  expect(asked.deleted).toEqual([]);

  await user.click(screen.getByRole("button", { name: `${texts.card.deleteNow} a.jpg` }));
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: texts.confirm.yes }));
  await waitFor(() => expect(screen.queryByRole("article", { name: "a.jpg" })).toBeNull());
  expect(document.activeElement).toBe(card("b.jpg"));
  expect(asked.deleted).toHaveLength(1);
  expect(jobs.size).toBe(1);
});

test("what could not be deleted says so and stays", async () => {
  outcomeIs((job) => completed(job));
  const user = shown();
  await add(user, photo());
  await screen.findByText(texts.result.hidden(1));
  server.use(http.delete("/api/jobs/:id", () => HttpResponse.error()));
  await user.click(screen.getByRole("button", { name: `${texts.card.deleteNow} street.jpg` }));
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: texts.confirm.yes }));
  expect(await screen.findByText(texts.failures.notDeleted)).toBeTruthy();
  expect(card("street.jpg")).toBeTruthy();
});

test("all can be deleted at once", async () => {
  const user = shown();
  await add(user, photo("a.jpg"), photo("b.jpg"));
  await waitFor(() => expect(screen.getAllByText(texts.steps.detect)).toHaveLength(2));
  await user.click(screen.getByRole("button", { name: texts.list.deleteAll }));
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: texts.confirm.yes }));
  expect(await screen.findByText(texts.list.empty)).toBeTruthy();
  await waitFor(() => expect(jobs.size).toBe(0));
});

test("the choices of the panel are those of the next photo", async () => {
  const user = shown();
  await user.click(screen.getByRole("radio", { name: texts.options.style.pixelate }));
  await add(user, photo());
  await waitFor(() => expect(asked.created).toMatchObject([{ style: "pixelate" }]));
  expect(JSON.parse(localStorage.getItem("faceblur.options")!)).toMatchObject({ style: "pixelate" });
});

test("pictures can be pasted", async () => {
  shown();
  const paste = new Event("paste");
  Object.assign(paste, { clipboardData: { files: [photo("pasted.png")] } });
  document.dispatchEvent(paste);
  expect(await screen.findByRole("article", { name: "pasted.png" })).toBeTruthy();
});

test("light, dark, or as the system is", async () => {
  const user = shown();
  await user.click(screen.getByRole("radio", { name: texts.theme.dark }));
  expect(document.documentElement.dataset["theme"]).toBe("dark");
  expect(localStorage.getItem("faceblur.theme")).toBe("dark");
  await user.click(screen.getByRole("radio", { name: texts.theme.system }));
  expect(document.documentElement.dataset["theme"]).toBeUndefined();
});
