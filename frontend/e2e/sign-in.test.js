/** The page of a stack that asks for sign-in, in a real browser, with an issuer on this machine. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, add, card, FAILED_REQUEST, launch, onPage, PAGE, picture, reach } from "./browser.js";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test("a person signs in, has a photo blurred, and is asked again when the token is good no longer", () =>
  onPage(
    browser,
    async (page) => {
      await page.getByRole("button", { name: "Sign in" }).waitFor();
      await picture(page, "sign-in");
      await accessible(page);
      const refused = await page.evaluate(() => fetch("/api/jobs", { method: "POST" }).then(({ status }) => status));
      assert.equal(refused, 401);

      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Add photos" }).waitFor();
      await page.waitForURL(`${PAGE}/`); // the issuer's answer stays in no address
      await add(page, "hopper.jpg");
      await reach(page, "hopper.jpg", "Done");
      await card(page, "hopper.jpg").getByText("1 face hidden").waitFor();

      // Another tab is another session.
      const stranger = await page.context().newPage();
      await stranger.goto(PAGE);
      await stranger.getByRole("button", { name: "Sign in" }).waitFor();
      await stranger.close();

      await page.evaluate(() => {
        const [[key, kept]] = Object.entries(sessionStorage).filter(([key]) => key.startsWith("oidc.user:"));
        sessionStorage.setItem(key, JSON.stringify({ ...JSON.parse(kept), id_token: "a.b.c" }));
      });
      await add(page, "astronaut.jpg");
      await page.getByRole("button", { name: "Sign in" }).click();
      await card(page, "hopper.jpg").getByText("1 face hidden").waitFor();
      await card(page, "astronaut.jpg").getByRole("button", { name: "Try again" }).click();
      await reach(page, "astronaut.jpg", "Done");
    },
    { expected: FAILED_REQUEST },
  ));
