/** A browser on the page of a running stack. Whatever it complains about, CSP violations included, fails the test. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = new URL("../screenshots/", import.meta.url).pathname;
mkdirSync(pictures, { recursive: true });

export const PAGE = required("FACEBLUR_PAGE", "the address of a running stack's page");
const PHOTOS = required("FACEBLUR_PHOTOS", "the folder of the photos to upload");

export const photo = (name) => join(PHOTOS, name);

/** How long the stack may take for what is asked of it, in milliseconds. */
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
      // The browser itself would ask for its makers' hosts.
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });

/** What the browser says of its own accord when a request fails; only tests that make requests fail expect it. */
export const FAILED_REQUEST = /^Failed to load resource/;

/**
 * Opens the page in a fresh profile, runs the test on it, and deletes what the test uploaded. `expected` is the
 * pattern of complaints that belong to the test.
 */
export async function onPage(browser, test, { expected, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.setDefaultTimeout(60_000);
  try {
    await page.goto(PAGE);
    // The page is loaded before it is rendered; until then no key and no drop reaches it.
    await page.getByRole("heading", { level: 1 }).waitFor();
    await test(page, context);
    assert.deepEqual(
      complaints.filter((text) => !expected?.test(text)),
      [],
      "the browser complained",
    );
  } catch (error) {
    await page.screenshot({ path: join(pictures, "failed.png"), fullPage: true }).catch(() => undefined);
    throw error;
  } finally {
    await cleaned(page, context);
  }
}

/** Erases the jobs that the page remembers. */
async function cleaned(page, context) {
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

export const add = (page, ...names) =>
  page.getByLabel("Choose photos").and(page.locator("input")).setInputFiles(names.map(photo));

export const card = (page, name) => page.getByRole("article", { name });

/** Waits for the status of a photo. */
export const reach = (page, name, status) =>
  card(page, name).locator(".status", { hasText: status }).waitFor({ timeout: PATIENCE });

export async function picture(page, name, { fullPage = true } = {}) {
  await page.evaluate(() => Promise.allSettled([...document.images].map((image) => image.decode())));
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage });
}

/** Fails if axe finds something that hinders people. The protocol evaluates it, which no policy forbids. */
export async function accessible(page) {
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
export async function fits(page) {
  const [inside, window] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(inside <= window, `${inside} pixels in a window of ${window}`);
}

/**
 * Keeps from the page that jobs have ended, however quick the stack is. Gives what lets the news go; it takes every
 * route off the page.
 */
export async function heldNews(page) {
  await page.route("**/api/jobs/*", async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const job = await (await route.fetch()).json();
    return route.fulfill({ json: { ...job, status: "PROCESSING" } });
  });
  return () => page.unrouteAll({ behavior: "wait" });
}

/** Holds the photos that the page uploads. Gives what lets them go. */
export async function heldUploads(page) {
  let letGo;
  const released = new Promise((resolve) => (letGo = resolve));
  await page.route(uploads(page), async (route) => {
    await released;
    await route.continue();
  });
  return letGo;
}

/** Tells the addresses that photos go to. */
export const uploads = (page) => (url) => !url.href.includes("/api/") && !url.href.startsWith(page.url());

/** A connection of this many bytes a second upwards. */
export async function slow(page, uploadThroughput) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const conditions = { offline: false, latency: 20, downloadThroughput: -1, uploadThroughput };
  await session.send("Network.emulateNetworkConditions", conditions);
  return () => session.send("Network.emulateNetworkConditions", { ...conditions, latency: 0, uploadThroughput: -1 });
}
