/** The page of a stack with sign-in, in a real browser, with an issuer on this machine. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  add,
  assertAccessible,
  card,
  FAILED_REQUEST,
  launch,
  onPage,
  PAGE,
  screenshot,
  waitForStatus,
} from "./browser.js";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test("a person signs in, hides a face, and must sign in again when the API refuses the token", () =>
  onPage(
    browser,
    async (page) => {
      await page.getByRole("button", { name: "Sign in" }).waitFor();
      await screenshot(page, "sign-in");
      await assertAccessible(page);
      const refused = await page.evaluate(() => fetch("/api/jobs", { method: "POST" }).then(({ status }) => status));
      assert.equal(refused, 401);

      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Add photos" }).waitFor();
      await page.waitForURL(`${PAGE}/`); // the issuer's answer is no longer in the address
      await add(page, "hopper.jpg");
      await waitForStatus(page, "hopper.jpg", "Done");
      await card(page, "hopper.jpg").getByText("1 face hidden").waitFor();

      // Another tab does not share the session.
      const otherTab = await page.context().newPage();
      await otherTab.goto(PAGE);
      await otherTab.getByRole("button", { name: "Sign in" }).waitFor();
      await otherTab.close();

      await page.evaluate(() => {
        const [[key, kept]] = Object.entries(sessionStorage).filter(([key]) => key.startsWith("oidc.user:"));
        sessionStorage.setItem(key, JSON.stringify({ ...JSON.parse(kept), id_token: "a.b.c" }));
      });
      await add(page, "astronaut.jpg");
      await page.getByRole("button", { name: "Sign in" }).click();
      await card(page, "hopper.jpg").getByText("1 face hidden").waitFor();
      await card(page, "astronaut.jpg").getByRole("button", { name: "Try again" }).click();
      await waitForStatus(page, "astronaut.jpg", "Done");
    },
    { expected: FAILED_REQUEST },
  ));
