/** The page in a real browser, in front of a running stack. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import {
  accessible,
  add,
  card,
  FAILED_REQUEST,
  fits,
  heldNews,
  heldUploads,
  launch,
  onPage,
  PATIENCE,
  photo,
  picture,
  reach,
  slow,
  uploads,
} from "./browser.js";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const settled = (page) => page.waitForLoadState("networkidle");

/** Waits until a photo's result is shown. */
async function done(page, name) {
  await reach(page, name, "Done");
  await card(page, name).getByRole("slider").waitFor();
  await settled(page);
}

/** Has a photo tried again, and waits until it is worked on. */
async function findMore(page, name) {
  const letGo = await heldNews(page);
  await page.getByRole("button", { name: "Try again, finding more" }).click();
  await reach(page, name, "Working");
  await letGo();
}

const dropped = (page, selector, type, names) =>
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

/** Fails if the middle of the first box in this picture is not the middle of this face. */
async function boxLiesOn(picture, face) {
  const [box, whole] = [await picture.locator(".is-first .boxes-line").boundingBox(), await picture.boundingBox()];
  const [x, y] = [box.x + box.width / 2 - whole.x, box.y + box.height / 2 - whole.y];
  assert.ok(Math.abs(x / whole.width - (face.left + face.width / 2)) < 0.01);
  assert.ok(Math.abs(y / whole.height - (face.top + face.height / 2)) < 0.01);
}

describe("one photo", () => {
  test("is uploaded, worked on, compared, and downloaded", () =>
    onPage(browser, async (page) => {
      await settled(page);
      await picture(page, "01-empty");
      await accessible(page);

      const view = card(page, "astronaut.jpg");
      const letGo = await heldNews(page);
      await add(page, "astronaut.jpg");
      await view.getByRole("list", { name: "Progress" }).waitFor();
      await picture(page, "02-working");
      await accessible(page);
      await letGo();

      await done(page, "astronaut.jpg");
      await view.getByText("1 face hidden").waitFor();
      await view.getByText("Checked once: no more faces were found.").waitFor();
      await picture(page, "03-done");
      await accessible(page);
      await fits(page);

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
      await view.getByRole("region", { name: "Faces that were found" }).waitFor();
      await boxLiesOn(view.locator(".frame"), boxes[0]);
      await picture(page, "04-boxes");
      await accessible(page);

      await view.getByText(/^Worked on for/).click();
      await picture(page, "05-times");
      await view.getByRole("button", { name: "Enlarge" }).click();
      const zoom = page.getByRole("dialog");
      await zoom.getByRole("button", { name: "Closer" }).click();
      await zoom.getByRole("button", { name: "Closer" }).click();
      assert.ok(await zoom.getByRole("region").evaluate((view) => view.scrollHeight > view.clientHeight * 2.5));
      await boxLiesOn(zoom.locator(".zoom-picture"), boxes[0]);
      await picture(page, "06-zoom", { fullPage: false });
      await zoom.getByRole("button", { name: "Show before" }).click();
      await accessible(page);
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
      await done(page, "astronaut.jpg");
      const jumps = await page.evaluate(() => window.jumps);
      assert.ok(jumps < 0.1, `layout shift ${jumps}`);
    }));

  test("can be dropped, and pasted", () =>
    onPage(browser, async (page) => {
      await dropped(page, ".drop", "dragenter", ["hopper.jpg"]);
      await page.getByText("Let go to add them").waitFor();
      await picture(page, "07-drop");
      await dropped(page, ".drop", "drop", ["hopper.jpg"]);
      await done(page, "hopper.jpg");
      await dropped(page, "body", "paste", ["flower.jpg"]);
      await reach(page, "flower.jpg", "Done");
      await card(page, "flower.jpg").getByText("No face was found", { exact: true }).waitFor();
      await card(page, "flower.jpg").getByRole("slider").waitFor();
      await picture(page, "08-no-face");
      await accessible(page);
      await findMore(page, "flower.jpg");
      await reach(page, "flower.jpg", "Done");
    }));

  test("is hidden as the options say, which are remembered", () =>
    onPage(browser, async (page) => {
      await page.getByLabel("Strength").fill("3");
      await picture(page, "09-strength");
      await page.getByRole("radio", { name: "Solid" }).check({ force: true });
      await page.getByLabel("Colour").fill("#c04020");
      await page.getByLabel("File format").selectOption("png");
      await page.getByLabel("Room around a face").fill("0.5");
      await picture(page, "09-options");
      await page.reload();
      assert.ok(await page.getByRole("radio", { name: "Solid" }).isChecked());
      await add(page, "astronaut.jpg");
      await done(page, "astronaut.jpg");
      await page.getByText(/^PNG,/).waitFor();
      await picture(page, "10-solid");
      await accessible(page);
      await page.getByRole("button", { name: "Reset to defaults" }).click();
      assert.ok(await page.getByRole("radio", { name: "Blur" }).isChecked());
    }));
});

describe("the checks of a result", () => {
  /** Has the API tell this of every completed job. */
  const told = (page, outcome) =>
    page.route("**/api/jobs/*", async (route) => {
      if (route.request().method() !== "GET") return route.continue();
      const job = await (await route.fetch()).json();
      return route.fulfill({ json: job.status === "COMPLETED" ? { ...job, ...outcome } : job });
    });
  /** Has every receipt hold these boxes. */
  const listed = (page, boxes) =>
    page.route("**/receipts/*", async (route) => {
      const response = await route.fetch();
      return route.fulfill({ response, json: { ...(await response.json()), boxes } });
    });
  const face = { width: 0.18, height: 0.24, confidence: 90, found_by: "embedded", found_in: "first", round: 0 };

  test("are told, and that the last one found something is a warning", () =>
    onPage(browser, async (page) => {
      const progress = {
        detect: "2026-01-01T12:00:00Z",
        hide: "2026-01-01T12:00:01Z",
        check: "2026-01-01T12:00:02Z",
        hide_missed: "2026-01-01T12:00:03Z",
        finished: "2026-01-01T12:00:09Z",
      };
      const counts = { faces: 3, missed_at_first: 2, check_rounds: 5 };
      await told(page, { ...counts, progress, warnings: ["ChecksNotSettled"] });
      await listed(page, [
        { ...face, left: 0.35, top: 0.1 },
        { ...face, left: 0.1, top: 0.6, found_in: "check", round: 1 },
        { ...face, left: 0.6, top: 0.6, found_in: "check", round: 4 },
      ]);
      await add(page, "astronaut.jpg");
      await done(page, "astronaut.jpg");
      const view = card(page, "astronaut.jpg");
      await view.getByText("Checked 5 times: the checks found 2 more faces, which are hidden too.").waitFor();
      await view.getByText("look for faces that still show").waitFor();
      await view.getByText("Worked on for 9 s").click();
      await view.getByText("Hiding what was missed, checking again").waitFor();
      await view.getByRole("button", { name: "Show boxes" }).click();
      await view.getByText("found by check 4").waitFor();
      await picture(page, "16-not-settled");
      await accessible(page);
      await fits(page);
    }));

  test("and thousands of boxes can be looked through", () =>
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
      await told(page, { faces: 20_000, missed_at_first: 2223, check_rounds: 2 });
      await listed(page, boxes);
      await add(page, "crowd.jpg");
      await done(page, "crowd.jpg");
      const view = card(page, "crowd.jpg");
      await view.getByText("the first check found 2,223 more faces").waitFor();
      await view.getByRole("button", { name: "Show boxes" }).click();
      const list = view.getByRole("region", { name: "Faces that were found" });
      await list.waitFor();
      assert.equal(await list.getByRole("listitem").count(), 100);
      await view.getByText("19,900 more boxes are in the picture.").waitFor();
      await picture(page, "17-thousands");
      await accessible(page);
      await list.focus();
      await page.keyboard.press("PageDown");
      await page.waitForFunction((element) => element.scrollTop > 0, await list.elementHandle());
      await view.getByRole("button", { name: "Enlarge" }).click();
      const zoom = page.getByRole("dialog");
      await zoom.getByLabel("Enlargement").fill("8");
      await zoom.locator(".is-check .boxes-line").waitFor();
      await picture(page, "18-thousands-zoom", { fullPage: false });
      await accessible(page);
    }));
});

describe("large photos", () => {
  test("above the limit are reduced in the browser first", () =>
    onPage(browser, async (page) => {
      await add(page, "big.jpg");
      await reach(page, "big.jpg", "Reducing");
      await picture(page, "11-reducing");
      await done(page, "big.jpg");
      await page.getByText(/^Reduced from .* MB to .* MB/).waitFor();
      await picture(page, "12-reduced");
    }));

  test("go up as they are within the limits", () =>
    onPage(browser, async (page) => {
      await add(page, "large12mp.jpg");
      await done(page, "large12mp.jpg");
      assert.equal(await page.getByText(/^Reduced from/).count(), 0);
    }));
});

describe("several photos", () => {
  test("come back together in one file", () =>
    onPage(browser, async (page) => {
      const names = ["astronaut.jpg", "hopper.jpg", "flower.jpg", "crowd.jpg", "large12mp.jpg"];
      const letGo = await heldUploads(page);
      await add(page, ...names);
      await page.waitForFunction(() => {
        const stages = [...document.querySelectorAll(".status")].map(({ textContent }) => textContent);
        const count = (stage) => stages.filter((text) => text === stage).length;
        return count("Uploading") === 3 && count("Waiting its turn") === 2;
      });
      await picture(page, "13-five-uploading");
      await accessible(page);
      letGo();
      for (const name of names) await done(page, name);
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Download all 5" }).click(),
      ]);
      assert.equal(file.suggestedFilename(), "faceblur.zip");
      const zip = readFileSync(await file.path(), "latin1");
      assert.ok(zip.startsWith("PK"));
      assert.ok(names.every((name) => zip.includes(name.replace(".jpg", "-blurred.jpg"))));
      await picture(page, "14-five-done");

      await page.getByRole("button", { name: "Delete all" }).click();
      await picture(page, "15-delete", { fullPage: false });
      await accessible(page);
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await page.getByText("No photos yet.").waitFor();
    }));
});

describe("a failure", () => {
  const refused = [
    ["text.jpg", "not a photo in a format we can read"],
    ["animated.gif", "not a photo in a format we can read"],
    ["tiny.png", "too small to find faces"],
    ["truncated.jpg", "damaged or incomplete"],
  ];
  for (const [name, sentence] of refused) {
    test(`of ${name} shows its sentence`, () =>
      onPage(browser, async (page) => {
        await add(page, name);
        await reach(page, name, "Failed");
        await card(page, name).getByText(sentence).waitFor();
        await picture(page, `20-failed-${name}`);
        await accessible(page);
        assert.equal(await card(page, name).getByRole("button", { name: /again/ }).count(), 0);
      }));
  }

  test("for want of a face offers to look closer", () =>
    onPage(browser, async (page) => {
      await page.getByRole("checkbox", { name: "Stop if no face is found" }).check();
      await add(page, "sky.png");
      await reach(page, "sky.png", "Failed");
      await picture(page, "21-failed-no-face");
      await findMore(page, "sky.png");
      await reach(page, "sky.png", "Failed");
    }));

  const told = [
    ["ImageTooLarge", "Reduce and try again"],
    ["TooManyFaces", null],
    ["UploadReplaced", "Try again"],
    ["DetectorThrottled", "Try again"],
    ["DetectorUnavailable", "Try again"],
    ["StorageUnavailable", "Try again"],
    ["UploadExpired", "Try again"],
    ["TimedOut", "Try again"],
    ["Aborted", "Try again"],
    ["InternalError", "Try again"],
  ];
  for (const [code, remedy] of told) {
    test(`told as ${code} ${remedy ? `offers “${remedy}”` : "asks for another photo"}`, () =>
      onPage(browser, async (page) => {
        const error = { code, message: `What ${code} says.` };
        await page.route("**/api/jobs/*", async (route) => {
          if (route.request().method() !== "GET") return route.continue();
          const job = await (await route.fetch()).json();
          return route.fulfill({ json: { ...job, status: "FAILED", progress: {}, error } });
        });
        await add(page, "astronaut.jpg");
        await reach(page, "astronaut.jpg", "Failed");
        await page.getByText(error.message).first().waitFor();
        const buttons = card(page, "astronaut.jpg").getByRole("button", { name: /again/ });
        assert.deepEqual(await buttons.allTextContents(), remedy ? [remedy] : []);
        if (code === "TimedOut") await picture(page, "22-failed-timed-out");
      }));
  }

  const requests = [
    ["a lost network", (route) => route.abort("internetdisconnected"), "cannot be reached"],
    ["an expired form", (route) => route.fulfill(xml("AccessDenied", "Policy expired")), "began too late"],
    ["a form's limit", (route) => route.fulfill(xml("EntityTooLarge", "…")), "above the limit of 35 MB"],
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
          await page.route(uploads(page), (route) =>
            route.request().method() === "POST" ? answer(route) : route.continue(),
          );
          await add(page, "astronaut.jpg");
          await reach(page, "astronaut.jpg", "Failed");
          await card(page, "astronaut.jpg").getByText(sentence).waitFor();
          await picture(page, `23-${name.replaceAll(" ", "-")}`);
          await page.unrouteAll();
          await page.getByRole("button", { name: /ry again/ }).click();
          await done(page, "astronaut.jpg");
        },
        { expected: FAILED_REQUEST },
      ));
  }

  test("of the API shows the API's own words", () =>
    onPage(
      browser,
      async (page) => {
        const json = { code: "THROTTLED", message: "Too Many Requests" };
        await page.route("**/api/jobs", (route) => route.fulfill({ status: 429, json }));
        await add(page, "astronaut.jpg");
        await card(page, "astronaut.jpg").getByText("Too Many Requests").waitFor();
        await page.unrouteAll();
        await page.getByRole("button", { name: "Try again" }).click();
        await done(page, "astronaut.jpg");
      },
      { expected: FAILED_REQUEST },
    ));
});

describe("on its way, a photo", () => {
  test("shows how far it is, can be cancelled, and tried again", () =>
    onPage(browser, async (page) => {
      const restore = await slow(page, 15_000);
      await add(page, "large12mp.jpg");
      const bar = page.getByRole("progressbar");
      await bar.waitFor();
      await page.waitForFunction(() => document.querySelector("progress").value > 0.1);
      await picture(page, "30-uploading");
      await accessible(page);
      await page.getByRole("button", { name: "Cancel large12mp.jpg" }).click();
      await reach(page, "large12mp.jpg", "Cancelled");
      await page.getByText("Nothing of this photo is left on the server.").waitFor();
      await picture(page, "31-cancelled");
      await accessible(page);
      await restore();
      await page.getByRole("button", { name: "Try again" }).click();
      await done(page, "large12mp.jpg");
    }));

  test("survives a reload during the work", () =>
    onPage(browser, async (page) => {
      const letGo = await heldNews(page);
      await add(page, "crowd.jpg");
      await reach(page, "crowd.jpg", "Working");
      await page.reload();
      await letGo();
      await done(page, "crowd.jpg");
      await page.reload();
      await done(page, "crowd.jpg");
      await picture(page, "32-reloaded");
      assert.ok(!page.url().includes("job"));
    }));

  test("survives a reload during the upload", () =>
    onPage(browser, async (page) => {
      await slow(page, 80_000);
      await add(page, "large12mp.jpg");
      await page.waitForFunction(() => document.querySelector("progress")?.value > 0.1);
      await page.reload();
      await done(page, "large12mp.jpg");
    }));

  test("survives ten seconds without a network", () =>
    onPage(
      browser,
      async (page, context) => {
        const letGo = await heldNews(page);
        await add(page, "crowd.jpg");
        await reach(page, "crowd.jpg", "Working");
        await page.waitForResponse("**/api/jobs/*");
        await context.setOffline(true);
        await letGo();
        await page.getByText("Connection lost.").waitFor();
        await picture(page, "33-offline");
        await accessible(page);
        await page.waitForTimeout(10_000);
        await context.setOffline(false);
        await done(page, "crowd.jpg");
        assert.equal(await page.getByText("Connection lost.").count(), 0);
      },
      { expected: FAILED_REQUEST },
    ));

  test("is asked about only while the page is seen", () =>
    onPage(browser, async (page) => {
      const letGo = await heldNews(page);
      // Counted in the page: what is asked for before it is hidden may reach the network after.
      await page.evaluate(() => {
        const { fetch } = window;
        window.asked = 0;
        window.fetch = (address, ...rest) => {
          if (address.includes("/api/jobs/")) window.asked += 1;
          return fetch(address, ...rest);
        };
      });
      const show = (state) =>
        page.evaluate((state) => {
          Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
          document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
          return window.asked;
        }, state);
      await add(page, "astronaut.jpg");
      await reach(page, "astronaut.jpg", "Working");
      await page.waitForResponse("**/api/jobs/*");
      const before = await show("hidden");
      assert.ok(before > 0);
      await page.waitForTimeout(5000);
      assert.equal(await page.evaluate(() => window.asked), before);
      await Promise.all([page.waitForResponse("**/api/jobs/*"), show("visible")]);
      await letGo();
    }));
});

test("deleting now erases everything, here and on the server", () =>
  onPage(browser, async (page) => {
    await add(page, "astronaut.jpg");
    await done(page, "astronaut.jpg");
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

test("the keyboard is enough", () =>
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
    // The browser must be told before the key is pressed that no dialog of its own is wanted.
    const choosing = page.waitForEvent("filechooser");
    await press("Tab", "Choose photos");
    await page.keyboard.press("Enter");
    const chooser = await choosing;
    await chooser.setFiles([photo("astronaut.jpg"), photo("hopper.jpg")]);
    const [first, second] = [card(page, "astronaut.jpg"), card(page, "hopper.jpg")];
    await done(page, "astronaut.jpg");
    await done(page, "hopper.jpg");
    await activeIs(first);

    await press("Tab", "Delete now");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    await first.locator("[role=slider][aria-valuenow='55']").waitFor();
    await picture(page, "40-keyboard", { fullPage: false });

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

describe("the look", () => {
  test("is dark where the system is", () =>
    onPage(
      browser,
      async (page) => {
        await add(page, "astronaut.jpg", "text.jpg", "flower.jpg");
        await done(page, "astronaut.jpg");
        await reach(page, "flower.jpg", "Done");
        await card(page, "flower.jpg").getByRole("slider").waitFor();
        await card(page, "astronaut.jpg").getByRole("button", { name: "Show boxes" }).click();
        await picture(page, "50-dark");
        await accessible(page);
        const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
        const dark = await ground();
        await page.getByRole("radio", { name: "Light" }).check({ force: true });
        assert.notEqual(await ground(), dark);
        await page.reload();
        assert.notEqual(await ground(), dark);
        await accessible(page);
      },
      { colorScheme: "dark" },
    ));

  test("fits a phone", () =>
    onPage(
      browser,
      async (page) => {
        await fits(page);
        await page.getByRole("button", { name: "Take a photo" }).waitFor();
        // A picture of the whole page would not be one of a device for fingers.
        await picture(page, "51-phone-empty", { fullPage: false });
        await add(page, "hopper.jpg", "text.jpg");
        await done(page, "hopper.jpg");
        await page.getByText("How faces are hidden").click();
        await fits(page);
        await picture(page, "52-phone");
        await accessible(page);
        await card(page, "hopper.jpg").getByRole("button", { name: "Enlarge" }).click();
        await page.getByRole("dialog").waitFor();
        await picture(page, "53-phone-zoom", { fullPage: false });
        await fits(page);
      },
      { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
    ));

  for (const [width, height] of [
    [768, 1024],
    [1366, 768],
    [3840, 2160],
  ]) {
    test(`fits ${width} × ${height}`, () =>
      onPage(
        browser,
        async (page) => {
          await add(page, "astronaut.jpg", "crowd.jpg", "text.jpg");
          await done(page, "astronaut.jpg");
          await done(page, "crowd.jpg");
          await fits(page);
          await picture(page, `54-${width}`);
          await accessible(page);
        },
        { viewport: { width, height } },
      ));
  }
});

test("without a working server the page says so", () =>
  onPage(
    browser,
    async (page) => {
      await page.route("**/api/**", (route) => route.abort());
      await add(page, "astronaut.jpg");
      await page.getByText("The server cannot be reached.").first().waitFor({ timeout: PATIENCE });
      await picture(page, "60-no-server");
    },
    { expected: FAILED_REQUEST },
  ));
