/** A browser on the page of a running stack. Every console error or warning, such as a CSP violation, fails the test. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const screenshots = new URL("../screenshots/", import.meta.url).pathname;
mkdirSync(screenshots, { recursive: true });

export const PAGE = required("FACEBLUR_PAGE", "the address of a running stack's page");
const PHOTOS = required("FACEBLUR_PHOTOS", "the folder of the photos to upload");

export const photo = (name) => join(PHOTOS, name);

/** The longest that the stack may take for a step, in milliseconds. */
export const PATIENCE = 120_000;

function required(name, meaning) {
  const value = process.env[name];
  if (!value) {
    console.error(`The browser tests need ${name}: ${meaning}.`);
    process.exit(2);
  }
  return value;
}

export const launch = () =>
  chromium.launch({
    executablePath: required("CHROMIUM", "the path of a Chromium or Chrome"),
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // Otherwise the browser itself contacts its vendor.
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });

/** The console error when a request fails. Only tests that make requests fail expect it. */
export const FAILED_REQUEST = /^Failed to load resource/;

/**
 * Opens the page in a fresh profile, runs the test on it, and deletes what the test uploaded. Console messages that match
 * `expected` do not fail the test.
 */
export async function onPage(browser, test, { expected, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const messages = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) messages.push(message.text());
  });
  page.on("pageerror", (error) => messages.push(String(error)));
  page.setDefaultTimeout(60_000);
  try {
    await page.goto(PAGE);
    // Until the page is rendered, it receives no key press and no drop.
    await page.getByRole("heading", { level: 1 }).waitFor();
    await test(page, context);
    assert.deepEqual(
      messages.filter((text) => !expected?.test(text)),
      [],
      "the console has errors or warnings",
    );
  } catch (error) {
    await page.screenshot({ path: join(screenshots, "failed.png"), fullPage: true }).catch(() => undefined);
    throw error;
  } finally {
    await eraseJobs(page, context);
  }
}

/** Erases the jobs that the page remembers, and closes it. */
async function eraseJobs(page, context) {
  await context.setOffline(false);
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page
    .evaluate(async () => {
      const photos = [...Object.values(localStorage), ...Object.values(sessionStorage)];
      for (const id of photos.flatMap((text) => /"jobId":"(\w{32})"/.exec(text)?.[1] ?? [])) {
        await fetch(`/api/jobs/${id}`, { method: "DELETE" });
      }
    })
    .catch(() => undefined);
  await context.close();
}

/** Adds files, which are paths or contents with a name and a type. */
export const addFiles = (page, files) =>
  page.getByLabel("Choose photos").and(page.locator("input")).setInputFiles(files);

/** Adds photos of the tests' folder. */
export const add = (page, ...names) => addFiles(page, names.map(photo));

export const card = (page, name) => page.getByRole("article", { name });

/** Waits for the status of a photo. */
export const waitForStatus = (page, name, status) =>
  card(page, name).locator(".status", { hasText: status }).waitFor({ timeout: PATIENCE });

export async function screenshot(page, name, { fullPage = true } = {}) {
  await page.evaluate(() => Promise.allSettled([...document.images].map((image) => image.decode())));
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage });
}

/** Fails if axe finds an accessibility problem. The DevTools protocol runs axe, because the CSP would forbid it. */
export async function assertAccessible(page) {
  const session = await page.context().newCDPSession(page);
  const { exceptionDetails } = await session.send("Runtime.evaluate", { expression: axe });
  assert.equal(exceptionDetails, undefined);
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run().then(({ violations }) => violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => [id, help, target.join(" "), failureSummary].join(": "))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  assert.deepEqual(result.value, []);
  await session.detach();
}

/** Fails if the page is wider than its window. */
export async function assertFitsWidth(page) {
  const [content, window] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(content <= window, `${content} pixels in a window of ${window}`);
}

/**
 * Shows every job to the page as `PROCESSING`, even if it has ended. Returns a function that stops this and removes every
 * route from the page.
 */
export async function holdJobs(page) {
  await page.route("**/api/jobs/*", async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const job = await (await route.fetch()).json();
    return route.fulfill({ json: { ...job, status: "PROCESSING", result: undefined, receipt: undefined } });
  });
  return () => page.unrouteAll({ behavior: "wait" });
}

/** Holds the photos that the page uploads. Returns a function that releases them. */
export async function holdUploads(page) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route(isUpload(page), async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

/** Matches the addresses to which photos are uploaded. */
export const isUpload = (page) => (url) => !url.href.includes("/api/") && !url.href.startsWith(page.url());

/** Limits the upload to so many bytes per second. Returns a function that removes the limit. */
export async function limitUpload(page, uploadThroughput) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const conditions = { offline: false, latency: 20, downloadThroughput: -1, uploadThroughput };
  await session.send("Network.emulateNetworkConditions", conditions);
  return () => session.send("Network.emulateNetworkConditions", { ...conditions, latency: 0, uploadThroughput: -1 });
}
