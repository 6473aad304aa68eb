/** The page in a real browser, in front of a running stack. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import {
  assertAccessible,
  add,
  addFiles,
  card,
  FAILED_REQUEST,
  assertFitsWidth,
  holdJobs,
  holdUploads,
  launch,
  onPage,
  PATIENCE,
  photo,
  screenshot,
  waitForStatus,
  limitUpload,
  isUpload,
} from "./browser.js";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const networkIdle = (page) => page.waitForLoadState("networkidle");

/** Waits until a photo's result is shown. */
async function waitForResult(page, name, status = "Done") {
  await waitForStatus(page, name, status);
  await card(page, name).getByRole("slider").waitFor();
  await networkIdle(page);
}

/** Tries a photo again with lower confidence, and waits until the work on it has started. */
async function retryWithLowerConfidence(page, name) {
  const release = await holdJobs(page);
  await page.getByRole("button", { name: "Try again with lower confidence" }).click();
  await waitForStatus(page, name, "Working");
  await release();
}

const drop = (page, selector, type, names) =>
  page.evaluate(
    ([selector, type, files]) => {
      const data = new DataTransfer();
      for (const [name, content] of files) {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        data.items.add(new File([bytes], name, { type: "image/jpeg" }));
      }
      const target = document.querySelector(selector);
      const init = { bubbles: true, cancelable: true };
      target.dispatchEvent(
        type === "paste"
          ? new ClipboardEvent(type, { ...init, clipboardData: data })
          : new DragEvent(type, { ...init, dataTransfer: data }),
      );
    },
    [selector, type, names.map((name) => [name, readFileSync(photo(name), "base64")])],
  );

/** Fails if the first box in this picture does not have the same centre as this face. */
async function assertBoxLiesOn(picture, face) {
  const [box, frame] = [await picture.locator(".is-first .boxes-line").boundingBox(), await picture.boundingBox()];
  const [x, y] = [box.x + box.width / 2 - frame.x, box.y + box.height / 2 - frame.y];
  assert.ok(Math.abs(x / frame.width - (face.left + face.width / 2)) < 0.01);
  assert.ok(Math.abs(y / frame.height - (face.top + face.height / 2)) < 0.01);
}

describe("one photo", () => {
  test("is uploaded, and its result is compared and downloaded", () =>
    onPage(browser, async (page) => {
      await networkIdle(page);
      await screenshot(page, "01-empty");
      await assertAccessible(page);

      const view = card(page, "astronaut.jpg");
      const release = await holdJobs(page);
      await add(page, "astronaut.jpg");
      await view.getByRole("list", { name: "Progress" }).waitFor();
      await screenshot(page, "02-working");
      await assertAccessible(page);
      await release();

      await waitForResult(page, "astronaut.jpg");
      await view.getByText("1 face hidden").waitFor();
      await view.getByText("Checked once: nothing more was found.").waitFor();
      await screenshot(page, "03-done");
      await assertAccessible(page);
      await assertFitsWidth(page);

      const [file] = await Promise.all([
        page.waitForEvent("download"),
        view.getByRole("button", { name: "Download" }).click(),
      ]);
      assert.equal(file.suggestedFilename(), "astronaut-blurred.jpg");
      const bytes = readFileSync(await file.path());
      assert.deepEqual([...bytes.subarray(0, 3)], [0xff, 0xd8, 0xff]);

      const [receipt] = await Promise.all([
        page.waitForEvent("download"),
        view.getByRole("button", { name: "Receipt" }).click(),
      ]);
      assert.equal(receipt.suggestedFilename(), "astronaut-receipt.json");
      const { boxes, output } = JSON.parse(readFileSync(await receipt.path(), "utf8"));
      assert.equal(boxes.length, 1);
      assert.equal(output.bytes, bytes.length);

      await view.getByRole("button", { name: "Show boxes" }).click();
      await view.getByRole("region", { name: "Boxes of what was found" }).waitFor();
      await assertBoxLiesOn(view.locator(".frame"), boxes[0]);
      await screenshot(page, "04-boxes");
      await assertAccessible(page);

      await view.getByText(/^Took/).click();
      await screenshot(page, "05-times");
      await view.getByRole("button", { name: "Enlarge" }).click();
      const zoom = page.getByRole("dialog");
      await zoom.getByRole("button", { name: "Zoom in" }).click();
      await zoom.getByRole("button", { name: "Zoom in" }).click();
      assert.ok(await zoom.getByRole("region").evaluate((view) => view.scrollHeight > view.clientHeight * 2.5));
      await assertBoxLiesOn(zoom.locator(".zoom-picture"), boxes[0]);
      await screenshot(page, "06-zoom", { fullPage: false });
      await zoom.getByRole("button", { name: "Show before" }).click();
      await assertAccessible(page);
      await page.keyboard.press("Escape");
      await zoom.waitFor({ state: "detached" });
    }));

  test("does not make the page jump", () =>
    onPage(browser, async (page) => {
      await page.evaluate(() => {
        window.jumps = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.jumps += entry.value;
        }).observe({ type: "layout-shift", buffered: true });
      });
      await add(page, "astronaut.jpg");
      await waitForResult(page, "astronaut.jpg");
      const jumps = await page.evaluate(() => window.jumps);
      assert.ok(jumps < 0.1, `layout shift ${jumps}`);
    }));

  test("can be dropped, and pasted", () =>
    onPage(browser, async (page) => {
      await drop(page, ".drop", "dragenter", ["hopper.jpg"]);
      await page.getByText("Drop them to add them").waitFor();
      await screenshot(page, "07-drop");
      await drop(page, ".drop", "drop", ["hopper.jpg"]);
      await waitForResult(page, "hopper.jpg");
      await drop(page, "body", "paste", ["flower.jpg"]);
      await waitForResult(page, "flower.jpg", "Please look");
      await card(page, "flower.jpg").getByText("No face was found", { exact: true }).waitFor();
      await screenshot(page, "08-no-face");
      await assertAccessible(page);
      await retryWithLowerConfidence(page, "flower.jpg");
      await waitForStatus(page, "flower.jpg", "Please look");
    }));

  test("is hidden with the chosen options, which are remembered", () =>
    onPage(browser, async (page) => {
      await page.getByLabel("Strength").fill("3");
      await screenshot(page, "09-strength");
      await page.getByRole("radio", { name: "Solid" }).check({ force: true });
      await page.getByLabel("Colour").fill("#c04020");
      await page.getByLabel("File format").selectOption("png");
      await page.getByLabel("Padding").fill("0.5");
      await screenshot(page, "09-options");
      await page.reload();
      assert.ok(await page.getByRole("radio", { name: "Solid" }).isChecked());
      await add(page, "astronaut.jpg");
      await waitForResult(page, "astronaut.jpg");
      await page.getByText(/^PNG,/).waitFor();
      await screenshot(page, "10-solid");
      await assertAccessible(page);
      await page.getByRole("button", { name: "Reset to defaults" }).click();
      assert.ok(await page.getByRole("radio", { name: "Blur" }).isChecked());
    }));
});

describe("a street", () => {
  const withPlates = async (page, name) => {
    await page.getByLabel("Number plates").check();
    await add(page, name);
  };

  test("has its number plate hidden", () =>
    onPage(browser, async (page) => {
      await withPlates(page, "street.jpg");
      await waitForResult(page, "street.jpg");
      const view = card(page, "street.jpg");
      await view.getByText("1 number plate hidden", { exact: true }).waitFor();
      await view.getByRole("button", { name: "Show boxes" }).click();
      await view.getByText(/^Number plate · \d+ % sure/).waitFor();
      await screenshot(page, "05-street");
    }));

  test("keeps the sign of a shop visible", () =>
    onPage(browser, async (page) => {
      await withPlates(page, "sign.jpg");
      await waitForResult(page, "sign.jpg", "Please look");
      await card(page, "sign.jpg").getByText("No face or number plate was found").first().waitFor();
    }));
});

describe("the checks of a result", () => {
  /** Makes the API answer with these fields for every completed job. */
  const changeCompletedJobs = (page, outcome) =>
    page.route("**/api/jobs/*", async (route) => {
      if (route.request().method() !== "GET") return route.continue();
      const job = await (await route.fetch()).json();
      return route.fulfill({ json: job.status === "COMPLETED" ? { ...job, ...outcome } : job });
    });
  /** Makes every receipt list these boxes. */
  const changeReceipts = (page, boxes) =>
    page.route("**/receipts/*", async (route) => {
      const response = await route.fetch();
      return route.fulfill({ response, json: { ...(await response.json()), boxes } });
    });
  const face = {
    kind: "face",
    width: 0.18,
    height: 0.24,
    roll: 0,
    turned: false,
    confidence: 90,
    found_by: "embedded",
    found_in: "first",
    round: 0,
    hidden: true,
  };

  test("are shown, with a warning if the last one still found a face", () =>
    onPage(browser, async (page) => {
      const progress = {
        detect: "2026-01-01T12:00:00Z",
        hide: "2026-01-01T12:00:01Z",
        check: "2026-01-01T12:00:02Z",
        hide_missed: "2026-01-01T12:00:03Z",
        finished: "2026-01-01T12:00:09Z",
      };
      const counts = { hidden: { face: 2, plate: 1, text: 0 }, missed_at_first: 2, check_rounds: 5 };
      await changeCompletedJobs(page, { ...counts, progress, warnings: ["ChecksNotSettled"] });
      await changeReceipts(page, [
        { ...face, left: 0.35, top: 0.1 },
        { ...face, kind: "plate", left: 0.1, top: 0.6, found_in: "check", round: 1 },
        { ...face, left: 0.6, top: 0.6, found_in: "check", round: 4 },
      ]);
      await add(page, "astronaut.jpg");
      await waitForResult(page, "astronaut.jpg", "Please look");
      const view = card(page, "astronaut.jpg");
      await view.getByText("Checked 5 times: the checks found 2 more, which are hidden too.").waitFor();
      await view.getByText("look for anything that is still visible").waitFor();
      await view.getByText("Took 9 s").click();
      await view.getByText("Hiding what was missed and checking again").waitFor();
      await view.getByRole("button", { name: "Show boxes" }).click();
      await view.getByText("2 faces and 1 number plate hidden").waitFor();
      await view.getByText("Number plate · ").waitFor();
      await view.getByText("found by check 4").waitFor();
      await screenshot(page, "16-last-check-found-a-face");
      await assertAccessible(page);
      await assertFitsWidth(page);
    }));

  test("can find thousands of faces, whose boxes are shown", () =>
    onPage(browser, async (page) => {
      const places = Array.from({ length: 20_000 }, (_, index) => ({
        left: (index % 200) / 200,
        top: Math.floor(index / 200) / 100,
        width: 0.003,
        height: 0.006,
      }));
      const boxes = places.map((place, index) => ({
        ...face,
        ...place,
        ...(index % 9 ? {} : { found_in: "check", round: 1 }),
      }));
      await changeCompletedJobs(page, {
        hidden: { face: 20_000, plate: 0, text: 0 },
        missed_at_first: 2223,
        check_rounds: 2,
      });
      await changeReceipts(page, boxes);
      await add(page, "crowd.jpg");
      await waitForResult(page, "crowd.jpg");
      const view = card(page, "crowd.jpg");
      await view.getByText("the first check found 2,223 more").waitFor();
      await view.getByRole("button", { name: "Show boxes" }).click();
      const list = view.getByRole("region", { name: "Boxes of what was found" });
      await list.waitFor();
      assert.equal(await list.getByRole("listitem").count(), 100);
      await view.getByText("19,900 more boxes are in the picture.").waitFor();
      await screenshot(page, "17-thousands");
      await assertAccessible(page);
      await list.focus();
      await page.keyboard.press("PageDown");
      await page.waitForFunction((element) => element.scrollTop > 0, await list.elementHandle());
      await view.getByRole("button", { name: "Enlarge" }).click();
      const zoom = page.getByRole("dialog");
      await zoom.getByLabel("Zoom", { exact: true }).fill("8");
      await zoom.locator(".is-check .boxes-line").waitFor();
      await screenshot(page, "18-thousands-zoom", { fullPage: false });
      await assertAccessible(page);
    }));
});

describe("large photos", () => {
  test("above the limit are first reduced in the browser", () =>
    onPage(browser, async (page) => {
      await add(page, "big.jpg");
      await waitForStatus(page, "big.jpg", "Reducing");
      await screenshot(page, "11-reducing");
      await waitForResult(page, "big.jpg");
      // Only its bytes are above the limit, so it keeps its pixels.
      await page.getByText(/^Reduced from .* MB \(3,400 × 3,400 pixels\) to .* MB \(3,400 × 3,400 pixels\)/).waitFor();
      await screenshot(page, "12-reduced");
    }));

  test("within the limits are not reduced", () =>
    onPage(browser, async (page) => {
      await add(page, "large12mp.jpg");
      await waitForResult(page, "large12mp.jpg");
      assert.equal(await page.getByText(/^Reduced from/).count(), 0);
    }));
});

describe("several photos", () => {
  test("can be downloaded in one file", () =>
    onPage(browser, async (page) => {
      const names = ["astronaut.jpg", "hopper.jpg", "flower.jpg", "crowd.jpg", "large12mp.jpg"];
      const release = await holdUploads(page);
      await add(page, ...names);
      await page.waitForFunction(() => {
        const stages = [...document.querySelectorAll(".status")].map(({ textContent }) => textContent);
        const count = (stage) => stages.filter((text) => text === stage).length;
        return count("Uploading") === 4 && count("Waiting") === 1;
      });
      await screenshot(page, "13-five-uploading");
      await assertAccessible(page);
      release();
      for (const name of names) await waitForResult(page, name, name === "flower.jpg" ? "Please look" : "Done");
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Download 5 photos" }).click(),
      ]);
      assert.equal(file.suggestedFilename(), "faceblur.zip");
      const zip = readFileSync(await file.path(), "latin1");
      assert.ok(zip.startsWith("PK"));
      const suffix = (name) => (name === "flower.jpg" ? "-nothing-hidden.jpg" : "-blurred.jpg");
      assert.ok(names.every((name) => zip.includes(name.replace(".jpg", suffix(name)))));
      await screenshot(page, "14-five-done");

      await page.getByRole("button", { name: "Delete all" }).click();
      await screenshot(page, "15-delete", { fullPage: false });
      await assertAccessible(page);
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await page.getByText("No photos yet.").waitFor();
    }));
});

describe("sixteen photos", () => {
  const good = Array.from({ length: 14 }, (_, index) => `holiday-${String(index + 1).padStart(2, "0")}.jpg`);
  const all = [...good, "sky.jpg", "damaged.jpg"];

  async function addAll(page) {
    const sources = { "sky.jpg": "sky.png", "damaged.jpg": "truncated.jpg" };
    const files = all.map((name) => ({
      name,
      mimeType: "image/jpeg",
      buffer: readFileSync(photo(sources[name] ?? "small.jpg")),
    }));
    await addFiles(page, files);
  }

  const shown = (page) => page.getByRole("heading", { level: 3 }).allTextContents();

  test("are finished in their order, counted, filtered, and downloaded as they are shown", () =>
    onPage(browser, async (page) => {
      await addAll(page);
      await waitForStatus(page, good[0], "Done");
      await waitForStatus(page, all.at(-1), "Waiting");
      await screenshot(page, "70-sixteen-working", { fullPage: false });
      await page.getByText("14 done, 1 to look at, 1 failed").waitFor({ timeout: PATIENCE });
      assert.deepEqual(await shown(page), all);
      await page.reload();
      await page.getByText("14 done, 1 to look at, 1 failed").waitFor({ timeout: PATIENCE });
      assert.deepEqual(await shown(page), all);
      await networkIdle(page);
      await screenshot(page, "71-sixteen-list", { fullPage: false });
      await assertAccessible(page);

      await page.getByRole("radio", { name: "Grid" }).check({ force: true });
      await networkIdle(page);
      await screenshot(page, "72-sixteen-grid");
      await assertAccessible(page);
      await assertFitsWidth(page);
      await page.getByRole("radio", { name: "Please look" }).check({ force: true });
      assert.deepEqual(await shown(page), ["sky.jpg"]);
      await page.getByRole("radio", { name: "Done" }).check({ force: true });
      assert.deepEqual(await shown(page), good);
      await page.getByText("The download leaves nothing out.").waitFor();

      await page.getByRole("radio", { name: "All" }).check({ force: true });
      await page.getByText("Leaves out 1 failed. Includes 1 marked “Please look”.").waitFor();
      await page.getByText("Names of downloads end with").click();
      await page.getByLabel("Names of downloads end with").fill("");
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Download 15 photos" }).click(),
      ]);
      const zip = readFileSync(await file.path(), "latin1");
      assert.ok(good.every((name) => zip.includes(name)));
      assert.ok(zip.includes("sky-nothing-hidden."));
      assert.ok(!zip.includes("damaged") && !zip.includes("-blurred"));

      await page.reload();
      assert.ok(await page.getByRole("radio", { name: "Grid" }).isChecked());
      await page.emulateMedia({ colorScheme: "dark" });
      await screenshot(page, "73-sixteen-dark", { fullPage: false });
      await assertAccessible(page);
    }));
});

describe("two tabs", () => {
  async function openTab(page, context) {
    const tab = await context.newPage();
    await tab.goto(page.url());
    await tab.getByRole("heading", { level: 1 }).waitFor();
    return tab;
  }

  test("show the same photos, and only one of them uploads", () =>
    onPage(browser, async (page, context) => {
      const release = await holdUploads(page);
      await add(page, "astronaut.jpg", "hopper.jpg");
      await waitForStatus(page, "hopper.jpg", "Uploading");
      const other = await openTab(page, context);
      await card(other, "astronaut.jpg").getByText("Another tab of this browser works on this photo.").waitFor();
      assert.equal(await other.getByRole("button", { name: "Try again" }).count(), 0);
      await screenshot(other, "74-other-tab");
      release();
      for (const tab of [page, other]) {
        await waitForResult(tab, "astronaut.jpg");
        await waitForResult(tab, "hopper.jpg");
      }

      await other.getByRole("button", { name: "Delete now hopper.jpg" }).click();
      await other.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await card(page, "hopper.jpg").waitFor({ state: "detached" });
      await add(other, "flower.jpg");
      await waitForResult(page, "flower.jpg", "Please look");
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Download 2 photos" }).click(),
      ]);
      const zip = readFileSync(await file.path(), "latin1");
      assert.ok(zip.includes("astronaut-blurred.jpg") && zip.includes("flower-nothing-hidden.jpg"));
      assert.ok(!zip.includes("hopper"));
    }));

  test("go on with each other's photos when one is closed", () =>
    onPage(browser, async (page, context) => {
      const closed = await openTab(page, context);
      await holdUploads(closed);
      await add(closed, "astronaut.jpg");
      await card(page, "astronaut.jpg").getByText("Another tab of this browser works on this photo.").waitFor();
      await closed.close();
      await waitForResult(page, "astronaut.jpg");
    }));
});

describe("a failure", () => {
  test("of a video is known from its first bytes, whatever its size", () =>
    onPage(browser, async (page) => {
      const requests = [];
      page.on("request", (request) => requests.push(request.method()));
      const buffer = Buffer.alloc(36_000_000);
      buffer.write("\0\0\0\x18ftypmp42\0\0\0\0isommp41", "latin1");
      await addFiles(page, { name: "film.mp4", mimeType: "video/mp4", buffer });
      await card(page, "film.mp4").getByText("not a photo in a format we can read").waitFor();
      assert.equal(await page.getByRole("button", { name: "Reduce and try again" }).count(), 0);
      assert.ok(!requests.includes("POST"));
    }));

  const refused = [
    ["text.jpg", "not a photo in a format we can read"],
    ["animated.gif", "not a photo in a format we can read"],
    ["tiny.png", "too small to find anything"],
    ["truncated.jpg", "damaged or incomplete"],
  ];
  test("of a bad file shows its sentence, and does not offer to try again", () =>
    onPage(browser, async (page) => {
      await add(page, ...refused.map(([name]) => name));
      for (const [name, sentence] of refused) {
        await waitForStatus(page, name, "Failed");
        await card(page, name).getByText(sentence).waitFor();
        assert.equal(await card(page, name).getByRole("button", { name: /again/ }).count(), 0, name);
      }
      await screenshot(page, "20-failed-files");
      await assertAccessible(page);
    }));

  test("because no face was found offers to try again with lower confidence", () =>
    onPage(browser, async (page) => {
      await page.getByRole("checkbox", { name: "Stop if nothing is found" }).check();
      await add(page, "sky.png");
      await waitForStatus(page, "sky.png", "Failed");
      await screenshot(page, "21-failed-no-face");
      await retryWithLowerConfidence(page, "sky.png");
      await waitForStatus(page, "sky.png", "Failed");
    }));

  const codes = [
    ["ImageTooLarge", "Reduce and try again"],
    ["TooMuchToHide", null],
    ["UploadReplaced", "Try again"],
    ["DetectorThrottled", "Try again"],
    ["DetectorUnavailable", "Try again"],
    ["StorageUnavailable", "Try again"],
    ["UploadExpired", "Try again"],
    ["TimedOut", "Try again"],
    ["Aborted", "Try again"],
    ["InternalError", "Try again"],
  ];
  test("shows the sentence of its code, and offers what helps", () =>
    onPage(browser, async (page) => {
      // Each job fails with the next code. No photo reaches the storage, because these answers do not depend on it.
      const answers = new Map();
      await page.route("**/api/jobs/*", async (route) => {
        if (route.request().method() !== "GET") return route.continue();
        const job = await (await route.fetch()).json();
        if (!answers.has(job.job_id)) answers.set(job.job_id, codes[answers.size][0]);
        const code = answers.get(job.job_id);
        const error = { code, message: `The sentence of ${code}.` };
        return route.fulfill({ json: { ...job, status: "FAILED", progress: {}, error, result: undefined } });
      });
      await page.route(isUpload(page), (route) =>
        route.request().method() === "POST"
          ? route.fulfill({ status: 204, headers: { "Access-Control-Allow-Origin": "*" } })
          : route.continue(),
      );
      const file = { mimeType: "image/jpeg", buffer: readFileSync(photo("small.jpg")) };
      const files = codes.map((_, index) => ({ ...file, name: `photo-${index}.jpg` }));
      await addFiles(page, files);
      for (const [code, remedy] of codes) {
        const view = page.getByRole("article").filter({ hasText: `The sentence of ${code}.` });
        await view.locator(".status", { hasText: "Failed" }).waitFor({ timeout: PATIENCE });
        await view.getByText(`The sentence of ${code}.`).waitFor();
        const buttons = view.getByRole("button", { name: /again/ });
        assert.deepEqual(await buttons.allTextContents(), remedy ? [remedy] : [], code);
      }
      await screenshot(page, "22-failed-codes");
    }));

  const requests = [
    ["a network failure", (route) => route.abort("internetdisconnected"), "cannot be reached"],
    ["an expired form", (route) => route.fulfill(xml("AccessDenied", "Policy expired")), "started too late"],
    ["the form's limit", (route) => route.fulfill(xml("EntityTooLarge", "…")), "above the limit of 35 MB"],
  ];
  const xml = (code, message) => ({
    status: 403,
    headers: { "Access-Control-Allow-Origin": "*" },
    body: `<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  });
  for (const [name, answer, sentence] of requests) {
    test(`of the upload by ${name} can be tried again`, () =>
      onPage(
        browser,
        async (page) => {
          await page.route(isUpload(page), (route) =>
            route.request().method() === "POST" ? answer(route) : route.continue(),
          );
          await add(page, "astronaut.jpg");
          await waitForStatus(page, "astronaut.jpg", "Failed");
          await card(page, "astronaut.jpg").getByText(sentence).waitFor();
          await screenshot(page, `23-${name.replaceAll(" ", "-")}`);
          await page.unrouteAll();
          await page.getByRole("button", { name: /ry again/ }).click();
          await waitForResult(page, "astronaut.jpg");
        },
        { expected: FAILED_REQUEST },
      ));
  }

  test("of a request to the API shows the API's own sentence", () =>
    onPage(
      browser,
      async (page) => {
        const json = { code: "THROTTLED", message: "Too Many Requests" };
        await page.route("**/api/jobs", (route) => route.fulfill({ status: 429, json }));
        await add(page, "astronaut.jpg");
        await card(page, "astronaut.jpg").getByText("Too Many Requests").waitFor();
        await page.unrouteAll();
        await page.getByRole("button", { name: "Try again" }).click();
        await waitForResult(page, "astronaut.jpg");
      },
      { expected: FAILED_REQUEST },
    ));
});

describe("an unfinished photo", () => {
  test("shows the progress of its upload, can be cancelled and tried again", () =>
    onPage(browser, async (page) => {
      const restore = await limitUpload(page, 15_000);
      await add(page, "large12mp.jpg");
      const bar = page.getByRole("progressbar");
      await bar.waitFor();
      await page.waitForFunction(() => document.querySelector("progress").value > 0.1);
      await screenshot(page, "30-uploading");
      await assertAccessible(page);
      await page.getByRole("button", { name: "Cancel large12mp.jpg" }).click();
      await waitForStatus(page, "large12mp.jpg", "Cancelled");
      await page.getByText("Nothing of this photo is left on the server.").waitFor();
      await screenshot(page, "31-cancelled");
      await assertAccessible(page);
      await restore();
      await page.getByRole("button", { name: "Try again" }).click();
      await waitForResult(page, "large12mp.jpg");
    }));

  test("survives a reload during the work", () =>
    onPage(browser, async (page) => {
      const release = await holdJobs(page);
      await add(page, "crowd.jpg");
      await waitForStatus(page, "crowd.jpg", "Working");
      await page.reload();
      await release();
      await waitForResult(page, "crowd.jpg");
      await page.reload();
      await waitForResult(page, "crowd.jpg");
      await screenshot(page, "32-reloaded");
      assert.ok(!page.url().includes("job"));
    }));

  test("survives a reload during the upload", () =>
    onPage(browser, async (page) => {
      await limitUpload(page, 80_000);
      await add(page, "large12mp.jpg");
      await page.waitForFunction(() => document.querySelector("progress")?.value > 0.1);
      await page.reload();
      await waitForResult(page, "large12mp.jpg");
    }));

  test("survives ten seconds without a network", () =>
    onPage(
      browser,
      async (page, context) => {
        const release = await holdJobs(page);
        await add(page, "crowd.jpg");
        await waitForStatus(page, "crowd.jpg", "Working");
        await page.waitForResponse("**/api/jobs/*");
        await context.setOffline(true);
        await release();
        await page.getByText("Connection lost.").waitFor();
        await screenshot(page, "33-offline");
        await assertAccessible(page);
        await page.waitForTimeout(10_000);
        await context.setOffline(false);
        await waitForResult(page, "crowd.jpg");
        assert.equal(await page.getByText("Connection lost.").count(), 0);
      },
      { expected: FAILED_REQUEST },
    ));

  test("is polled only while the page is visible", () =>
    onPage(browser, async (page) => {
      const release = await holdJobs(page);
      // Counted in the page, because a request made before the page is hidden may reach the network later.
      await page.evaluate(() => {
        const { fetch } = window;
        window.polls = 0;
        window.fetch = (address, ...rest) => {
          if (address.includes("/api/jobs/")) window.polls += 1;
          return fetch(address, ...rest);
        };
      });
      const show = (state) =>
        page.evaluate((state) => {
          Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
          document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
          return window.polls;
        }, state);
      await add(page, "astronaut.jpg");
      await waitForStatus(page, "astronaut.jpg", "Working");
      await page.waitForResponse("**/api/jobs/*");
      const before = await show("hidden");
      assert.ok(before > 0);
      await page.waitForTimeout(5000);
      assert.equal(await page.evaluate(() => window.polls), before);
      await Promise.all([page.waitForResponse("**/api/jobs/*"), show("visible")]);
      await release();
    }));
});

test("Delete now erases everything, in the browser and on the server", () =>
  onPage(browser, async (page) => {
    await add(page, "astronaut.jpg");
    await waitForResult(page, "astronaut.jpg");
    const jobId = await page.evaluate(() => /"jobId":"(\w{32})"/.exec(Object.values(localStorage).join())[1]);
    await page.getByRole("button", { name: "Delete now astronaut.jpg" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("No photos yet.").waitFor();
    assert.equal((await page.request.get(new URL(`/api/jobs/${jobId}`, page.url()).href)).status(), 404);
    const left = await page.evaluate(async () => {
      const database = await new Promise((resolve) => {
        indexedDB.open("faceblur").onsuccess = (event) => resolve(event.target.result);
      });
      const files = await new Promise((resolve) => {
        const request = database.transaction("files").objectStore("files").count();
        request.onsuccess = () => resolve(request.result);
      });
      return [files, Object.keys(localStorage).filter((key) => key.startsWith("faceblur.photo")).length];
    });
    assert.deepEqual(left, [0, 0]);
    assert.equal(await page.evaluate(() => document.activeElement.id), "photos");
  }));

test("the page can be used by keyboard alone", () =>
  onPage(browser, async (page) => {
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    const activeIs = async (one) =>
      page.waitForFunction((id) => document.activeElement.id === id, await one.getAttribute("id"));
    const focusIsOn = (text) =>
      page.waitForFunction((expected) => document.activeElement.textContent === expected, text);
    const press = async (key, text) => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press(key);
        if ((await focused()) === text) return;
      }
      assert.fail(`“${text}” is not reached by ${key}`);
    };
    await page.keyboard.press("Tab");
    await focusIsOn("Skip to the photos");
    // The browser must know before the key press that it should not open its own dialog.
    const choosing = page.waitForEvent("filechooser");
    await press("Tab", "Choose photos");
    await page.keyboard.press("Enter");
    const chooser = await choosing;
    await chooser.setFiles([photo("astronaut.jpg"), photo("hopper.jpg")]);
    const [first, second] = [card(page, "astronaut.jpg"), card(page, "hopper.jpg")];
    await waitForResult(page, "astronaut.jpg");
    await waitForResult(page, "hopper.jpg");
    await activeIs(first);

    await press("Tab", "Delete now");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    await first.locator("[role=slider][aria-valuenow='55']").waitFor();
    await screenshot(page, "40-keyboard", { fullPage: false });

    await press("Tab", "Enlarge");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await focusIsOn("Enlarge");

    await press("Shift+Tab", "Delete now");
    await page.keyboard.press("Enter");
    await press("Tab", "Delete");
    await page.keyboard.press("Enter");
    await first.waitFor({ state: "detached" });
    await activeIs(second);
  }));

describe("the layout", () => {
  test("is dark if the system is dark", () =>
    onPage(
      browser,
      async (page) => {
        await add(page, "astronaut.jpg", "text.jpg", "flower.jpg");
        await waitForResult(page, "astronaut.jpg");
        await waitForStatus(page, "flower.jpg", "Please look");
        await card(page, "flower.jpg").getByRole("slider").waitFor();
        await card(page, "astronaut.jpg").getByRole("button", { name: "Show boxes" }).click();
        await screenshot(page, "50-dark");
        await assertAccessible(page);
        const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
        const dark = await background();
        await page.getByRole("radio", { name: "Light" }).check({ force: true });
        assert.notEqual(await background(), dark);
        await page.reload();
        assert.notEqual(await background(), dark);
        await assertAccessible(page);
      },
      { colorScheme: "dark" },
    ));

  test("fits a phone", () =>
    onPage(
      browser,
      async (page) => {
        await assertFitsWidth(page);
        await page.getByRole("button", { name: "Take a photo" }).waitFor();
        // A full-page screenshot would change the window, and with it the touch layout.
        await screenshot(page, "51-phone-empty", { fullPage: false });
        await add(page, "hopper.jpg", "text.jpg");
        await waitForResult(page, "hopper.jpg");
        await page.getByText("What is hidden, and how").click();
        await assertFitsWidth(page);
        await screenshot(page, "52-phone");
        await assertAccessible(page);
        await card(page, "hopper.jpg").getByRole("button", { name: "Enlarge" }).click();
        await page.getByRole("dialog").waitFor();
        await screenshot(page, "53-phone-zoom", { fullPage: false });
        await assertFitsWidth(page);
      },
      { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
    ));

  test("fits a tablet, a laptop and a large screen", () =>
    onPage(browser, async (page) => {
      await add(page, "astronaut.jpg", "crowd.jpg", "text.jpg");
      await waitForStatus(page, "text.jpg", "Failed");
      for (const [width, height] of [
        [768, 1024],
        [1366, 768],
        [3840, 2160],
      ]) {
        await page.setViewportSize({ width, height });
        await page.reload();
        await waitForResult(page, "astronaut.jpg");
        await waitForResult(page, "crowd.jpg");
        await waitForStatus(page, "text.jpg", "Failed");
        await assertFitsWidth(page);
        await screenshot(page, `54-${width}`);
        await assertAccessible(page);
      }
    }));
});

test("the page says that the server cannot be reached", () =>
  onPage(
    browser,
    async (page) => {
      await page.route("**/api/**", (route) => route.abort());
      await add(page, "astronaut.jpg");
      await page.getByText("The server cannot be reached.").first().waitFor({ timeout: PATIENCE });
      await screenshot(page, "60-no-server");
    },
    { expected: FAILED_REQUEST },
  ));
