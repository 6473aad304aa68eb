/** The editor of who is hidden in a real browser, in front of a running stack. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import {
  add,
  assertAccessible,
  assertFitsWidth,
  card,
  launch,
  onPage,
  PAGE,
  PATIENCE,
  photo,
  screenshot,
  waitForStatus,
} from "./browser.js";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

const editorOf = (page) => page.getByRole("dialog", { name: /^What is hidden in/ });
const stageOf = (page) => page.getByRole("group", { name: /^Boxes of/ });
const faces = (count) => (count === 0 ? "nothing" : count === 1 ? "1 face" : `${count} faces`);
const counted = (page, hidden, visible) =>
  page.getByText(`${faces(hidden)} hidden, ${faces(visible)} visible`, { exact: true }).waitFor();
const isClosed = (page) => editorOf(page).waitFor({ state: "detached" });

/** Chooses to review every photo. On a phone the options are folded at first. */
async function chooseReview(page) {
  const review = page.getByLabel("Review before hiding");
  if (!(await review.isVisible())) await page.getByRole("heading", { name: "What is hidden, and how" }).click();
  await review.selectOption("always");
}

/** Adds the group of eight with the option to review it, and waits until the editor has opened by itself. */
async function reviewGroup(page) {
  await chooseReview(page);
  await add(page, "group.png");
  await editorOf(page).waitFor({ timeout: PATIENCE });
  await counted(page, 8, 0);
}

/** The photos that the page remembers, newest first. */
const remembered = (page) =>
  page.evaluate(() =>
    Object.entries(localStorage)
      .filter(([key]) => key.startsWith("faceblur.photo."))
      .map(([, text]) => JSON.parse(text)),
  );

const getJob = (page, id) => page.evaluate(async (id) => (await fetch(`/api/jobs/${id}`)).json(), id);

/** The boxes of the only photo, as the API tells them. */
async function boxesOf(page) {
  const [{ jobId }] = await remembered(page);
  const { review, receipt } = await getJob(page, jobId);
  return review ? review.boxes : page.evaluate(async (url) => (await (await fetch(url)).json()).boxes, receipt.url);
}

/** Opens the editor on the only photo. */
async function change(page) {
  const [{ id }] = await remembered(page);
  await page.evaluate((id) => (location.hash = `photo=${id}`), id);
  await editorOf(page).waitFor();
}

/** Where the middle of a box is in the window. */
async function middleOf(page, { left, top, width, height }) {
  const picture = await page.locator(".editor-picture").boundingBox();
  return [picture.x + (left + width / 2) * picture.width, picture.y + (top + height / 2) * picture.height];
}

/** Says of each box whether the two files have the same pixels in it. */
function sameInside(page, one, other, boxes) {
  return page.evaluate(
    async ([files, boxes]) => {
      const [before, after] = await Promise.all(
        files.map(async (content) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          const image = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: "none" });
          const context = new OffscreenCanvas(image.width, image.height).getContext("2d", { willReadFrequently: true });
          context.drawImage(image, 0, 0);
          return context;
        }),
      );
      return boxes.map(({ left, top, width, height }) => {
        const { width: across, height: down } = before.canvas;
        const part = [left * across, top * down, width * across, height * down].map(Math.round);
        const [expected, actual] = [before, after].map((context) => context.getImageData(...part).data);
        return expected.every((level, index) => level === actual[index]);
      });
    },
    [[one, other].map((file) => readFileSync(file, "base64")), boxes],
  );
}

async function download(page, name) {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    card(page, name)
      .getByRole("button", { name: /^Download/ })
      .click(),
  ]);
  return file.path();
}

describe("a group photo of eight", () => {
  test("has exactly one face hidden with four clicks, and the others stay as they were to the bit", () =>
    onPage(browser, async (page) => {
      await reviewGroup(page);
      const boxes = await boxesOf(page);
      assert.equal(boxes.length, 8);
      await screenshot(page, "40-review", { fullPage: false });
      await assertAccessible(page);

      await page.mouse.click(...(await middleOf(page, boxes[2]))); // first
      await counted(page, 7, 1);
      await page.getByRole("button", { name: "Show all but the selected" }).click(); // second
      await counted(page, 1, 7);
      await screenshot(page, "41-only-one", { fullPage: false });
      await assertAccessible(page);
      await page.getByRole("button", { name: "Hide these" }).click(); // third
      await isClosed(page);
      await waitForStatus(page, "group.png", "Done");
      await card(page, "group.png").getByRole("slider").waitFor();
      const result = await download(page, "group.png"); // fourth
      await screenshot(page, "42-one-hidden");

      const same = await sameInside(page, photo("group.png"), result, boxes);
      assert.deepEqual(
        same,
        boxes.map((_, index) => index !== 2),
      );
      const receipt = await boxesOf(page);
      assert.deepEqual(
        receipt.filter(({ hidden }) => hidden).map(({ id }) => id),
        [boxes[2].id],
      );
    }));

  test("gets a number plate drawn, which is labelled, hidden and counted as one", () =>
    onPage(browser, async (page) => {
      await reviewGroup(page);
      await page.getByLabel("New boxes").selectOption("Number plate");
      await page.keyboard.press("n");
      await page.getByText("8 faces and 1 number plate hidden, nothing visible", { exact: true }).waitFor();
      await page.getByRole("heading", { name: /^drawn number plate 9/ }).waitFor();
      await page.locator(".editor-kinds").getByText("Number plate").waitFor();
      await page.getByLabel("Listed").selectOption("1 number plate");
      await screenshot(page, "44-number-plate", { fullPage: false });
      await assertAccessible(page);
      await page.getByRole("button", { name: "Hide these" }).click();
      await isClosed(page);
      await waitForStatus(page, "group.png", "Done");
      await card(page, "group.png").getByText("8 faces and 1 number plate hidden").waitFor();
    }));

  test("is decided by the keyboard alone", () =>
    onPage(browser, async (page) => {
      await reviewGroup(page);
      const keys = page.keyboard;
      await keys.press("ArrowRight");
      await keys.press("ArrowRight");
      await keys.press("Space");
      await counted(page, 7, 1);
      await keys.press("ArrowDown");
      await keys.press("Space");
      await counted(page, 6, 2);
      await keys.press("Control+z");
      await counted(page, 7, 1);
      await keys.press("n");
      await counted(page, 8, 1);
      for (const key of ["Shift+ArrowLeft", "Alt+ArrowDown", "r"]) await keys.press(key);
      await screenshot(page, "43-keyboard", { fullPage: false });
      await keys.press("Delete");
      await counted(page, 7, 1);
      await keys.press("+");
      await keys.press("ArrowLeft");
      await keys.press("0");

      const reach = async (locator) => {
        while (!(await locator.evaluate((element) => element === document.activeElement))) await keys.press("Tab");
      };
      await reach(page.getByRole("checkbox", { name: /^Hide face 8/ }));
      await keys.press("Space");
      await counted(page, 6, 2);
      await page.getByRole("heading", { name: /^face 8 .*: visible$/ }).waitFor();
      await reach(page.getByRole("button", { name: "Hide these" }));
      await keys.press("Enter");
      await isClosed(page);
      await waitForStatus(page, "group.png", "Done");
      assert.equal((await boxesOf(page)).filter(({ hidden }) => hidden).length, 6);
    }));

  test("is decided with fingers on a phone, in dark colours", () =>
    onPage(
      browser,
      async (page, context) => {
        await reviewGroup(page);
        const boxes = await boxesOf(page);
        await screenshot(page, "44-phone", { fullPage: false });
        await assertAccessible(page);
        await assertFitsWidth(page);
        await page.touchscreen.tap(...(await middleOf(page, boxes[0])));
        await counted(page, 7, 1);

        const session = await context.newCDPSession(page);
        const touch = (type, ...points) =>
          session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
        const before = await page.locator(".editor-picture").boundingBox();
        const stage = await stageOf(page).boundingBox();
        const [x, y] = [stage.x + stage.width / 2, stage.y + stage.height / 2];
        await touch("touchStart", [x - 20, y], [x + 20, y]);
        for (const apart of [30, 45, 60]) await touch("touchMove", [x - apart, y], [x + apart, y]);
        await touch("touchEnd");
        const wide = await page.locator(".editor-picture").boundingBox();
        assert.ok(wide.width > 2.9 * before.width && wide.width < 3.1 * before.width, `${wide.width}`);
        await counted(page, 7, 1);

        await touch("touchStart", [x - 60, y - 60]);
        for (const far of [20, 40, 60]) await touch("touchMove", [x - 60 + far, y - 60 + far]);
        await touch("touchEnd");
        await counted(page, 8, 1);
        await screenshot(page, "45-phone-drawn", { fullPage: false });
        await assertAccessible(page);

        const small = await editorOf(page)
          .locator("button, label, select, summary")
          .evaluateAll((controls) =>
            controls
              .map((control) => [control.textContent || control.ariaLabel, control.getBoundingClientRect()])
              .filter(([, { width, height }]) => width > 0 && (width < 44 || height < 44))
              .map(([name]) => name),
          );
        assert.deepEqual(small, []);
        await page.getByRole("button", { name: "Hide these" }).tap();
        await isClosed(page);
        await waitForStatus(page, "group.png", "Done");
        const hidden = (await boxesOf(page)).filter((box) => box.hidden);
        assert.equal(hidden.filter((box) => box.found_by === "person").length, 1);
        assert.equal(hidden.length, 8);
      },
      { ...PHONE, colorScheme: "dark" },
    ));

  test("fills a large screen", () =>
    onPage(
      browser,
      async (page) => {
        await reviewGroup(page);
        await page.mouse.click(...(await middleOf(page, (await boxesOf(page))[1])));
        await page.getByText("A style of its own").click();
        await page.getByLabel("Style", { exact: true }).first().selectOption("solid");
        await page.getByText("Again with another style").click();
        await screenshot(page, "46-4k", { fullPage: false });
        await assertAccessible(page);
        const stage = await stageOf(page).boundingBox();
        assert.ok(stage.width > 3000 && stage.height > 2000);
      },
      { viewport: { width: 3840, height: 2160 } },
    ));

  test("is drawn upon, moved, turned, zoomed and left by Back, with the mouse", () =>
    onPage(browser, async (page) => {
      await reviewGroup(page);
      const picture = page.locator(".editor-picture");
      const { x, y, width, height } = await picture.boundingBox();
      const drag = async (from, to) => {
        await page.mouse.move(...from);
        await page.mouse.down();
        await page.mouse.move(...to, { steps: 4 });
        await page.mouse.up();
      };
      // In the gap between the portraits.
      const [left, top, right, bottom] = [x + width * 0.02, y + height * 0.9, x + width * 0.07, y + height * 0.97];
      await drag([left, top], [right, bottom]);
      await counted(page, 9, 0);
      const edge = () => page.locator(".is-selected-region .editor-line").boundingBox();
      const drawn = await edge();
      await drag([(left + right) / 2, (top + bottom) / 2], [(left + right) / 2 + 40, (top + bottom) / 2 - 40]);
      const moved = await edge();
      assert.ok(Math.abs(moved.x - drawn.x - 40) < 3 && Math.abs(moved.y - drawn.y + 40) < 3);
      await drag([right + 40, bottom - 40], [right + 70, bottom - 20]);
      const grown = await edge();
      assert.ok(Math.abs(grown.width - moved.width - 30) < 3 && Math.abs(grown.x - moved.x) < 3);
      await screenshot(page, "47-drawn", { fullPage: false });

      await page.mouse.move(x + width / 4, y + height / 4);
      await page.mouse.wheel(0, -500);
      await page.waitForFunction(
        ([element, before]) => element.getBoundingClientRect().width > 2 * before,
        [await picture.elementHandle(), width],
      );
      await page.getByRole("button", { name: "100 %" }).click();
      await page.waitForFunction(
        (element) => Math.round(element.getBoundingClientRect().width) === 2048,
        await picture.elementHandle(),
      );
      await page.getByRole("button", { name: "Move the picture" }).click();
      const before = await picture.boundingBox();
      await drag([x + 300, y + 200], [x + 250, y + 170]);
      const after = await picture.boundingBox();
      assert.deepEqual([after.x - before.x, after.y - before.y].map(Math.round), [-50, -30]);
      await counted(page, 9, 0);

      await page.goBack();
      await isClosed(page);
      assert.equal(page.url(), PAGE.endsWith("/") ? PAGE : `${PAGE}/`);
      await change(page);
      await counted(page, 9, 0);
    }));
});

describe("a finished photo", () => {
  /** Adds a photo, and waits for its result. */
  async function finished(page, name) {
    await add(page, name);
    await waitForStatus(page, name, "Done");
    await card(page, name).getByRole("slider").waitFor();
  }

  test("is done again by the server while that keeps it", () =>
    onPage(browser, async (page) => {
      await page.getByLabel("Keep the original on the server").fill("1");
      await finished(page, "group.png");
      const [{ jobId }] = await remembered(page);
      await change(page);
      await page.getByText("Again with another style").click();
      await page.getByLabel("Style", { exact: true }).selectOption("solid");
      await page.getByRole("checkbox", { name: /^Hide face 1/ }).uncheck();
      await page.getByRole("button", { name: "Hide these" }).click();
      await isClosed(page);
      await waitForStatus(page, "group.png", "Done");
      const job = await getJob(page, jobId);
      assert.deepEqual([job.hidden.face, job.kept.face, job.options.style], [7, 1, "solid"]);
      await card(page, "group.png").getByRole("slider").waitFor();
      const same = await sameInside(
        page,
        photo("group.png"),
        await download(page, "group.png"),
        (await boxesOf(page)).slice(0, 2),
      );
      assert.deepEqual(same, [true, false]);
    }));

  test("is uploaded again if only this browser has it, and replaces the last result", () =>
    onPage(
      browser,
      async (page) => {
        await finished(page, "group.png");
        const [{ jobId }] = await remembered(page);
        await change(page);
        await page.getByText("It is uploaded again from this browser").waitFor();
        await page.getByRole("checkbox", { name: /^Hide face 2/ }).uncheck();
        const [erased] = await Promise.all([
          page.waitForRequest((request) => request.method() === "DELETE", { timeout: PATIENCE }),
          page.getByRole("button", { name: "Hide these" }).click(),
        ]);
        assert.ok(erased.url().endsWith(jobId));
        const [{ jobId: second }] = await remembered(page);
        const job = await getJob(page, second);
        assert.deepEqual([job.status, job.hidden.face, job.kept.face], ["COMPLETED", 7, 1]);
      },
      { expected: /^Failed to load resource/ },
    ));
});

describe("a crowd", () => {
  test("of 600 is shown, and each face can be shown or hidden", () =>
    onPage(browser, async (page) => {
      await page.route("**/api/jobs/*", async (route) => {
        if (route.request().method() !== "GET") return route.continue();
        const job = await (await route.fetch()).json();
        const [box] = job.review?.boxes ?? [];
        if (!box) return route.fulfill({ json: job });
        job.review.boxes = Array.from({ length: 600 }, (_, index) => ({
          ...box,
          id: index + 1,
          left: (index % 30) / 30 + 0.005,
          top: Math.floor(index / 30) / 20 + 0.01,
          width: 0.02,
          height: 0.03,
        }));
        return route.fulfill({ json: job });
      });
      await chooseReview(page);
      await add(page, "group.png");
      await counted(page, 600, 0);
      assert.equal(await page.getByRole("checkbox", { name: /^Hide face/ }).count(), 600);
      await page.mouse.click(...(await middleOf(page, { left: 0.005, top: 0.01, width: 0.02, height: 0.03 })));
      await counted(page, 599, 1);
      await page.getByRole("checkbox", { name: /^Hide face 600/ }).uncheck();
      await counted(page, 598, 2);
      await screenshot(page, "48-crowd", { fullPage: false });
      await assertAccessible(page);
    }));
});

describe("a job without this browser's photo", () => {
  test("is reviewed by its id, with the preview", () =>
    onPage(browser, async (page, context) => {
      await reviewGroup(page);
      const [{ jobId }] = await remembered(page);
      const other = await context.browser().newContext();
      try {
        const elsewhere = await other.newPage();
        await elsewhere.goto(`${PAGE}/#job=${jobId}`);
        await counted(elsewhere, 8, 0);
        await screenshot(elsewhere, "49-job", { fullPage: false });
        await elsewhere.getByRole("button", { name: "Show all", exact: true }).click();
        await elsewhere.getByRole("checkbox", { name: /^Hide face 5/ }).check();
        await elsewhere.getByRole("button", { name: "Hide these" }).click();
        await isClosed(elsewhere);
      } finally {
        await other.close();
      }
      // The first browser sees that somebody else has answered.
      await page
        .getByText(/^This photo is being worked on|was deleted on the server|uploaded again/)
        .first()
        .waitFor();
      await page.keyboard.press("Escape");
      await waitForStatus(page, "group.png", "Done");
      assert.equal((await getJob(page, jobId)).hidden.face, 1);
    }));
});
