import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, test, vi, type Mock } from "vitest";
import { server } from "../testing/server";
import { texts } from "../texts";

/** What the library knows, in the place of an issuer. */
type User = { id_token: string; expired: boolean };
const people = vi.hoisted((): { user: User | null; settings: unknown; signinCallback: Mock; signinRedirect: Mock } => ({
  user: null,
  settings: undefined,
  signinCallback: vi.fn(),
  signinRedirect: vi.fn(),
}));
vi.mock("oidc-client-ts", () => ({
  UserManager: class {
    constructor(settings: unknown) {
      people.settings = settings;
    }
    getUser = () => Promise.resolve(people.user);
    removeUser = () => Promise.resolve(void (people.user = null));
    signinCallback = people.signinCallback;
    signinRedirect = people.signinRedirect;
  },
}));

const ALICE = { id_token: "a.b.c", expired: false };
const about = (signIn?: object) =>
  server.use(http.get("/config.json", () => HttpResponse.json({ api: "/api", ...(signIn ? { signIn } : {}) })));

beforeEach(() => {
  vi.resetModules(); // each test begins as a page that is loaded
  people.user = null;
  people.signinCallback.mockReset().mockResolvedValue(undefined);
  people.signinRedirect.mockReset().mockResolvedValue(undefined);
  about({ issuer: "https://issuer.test", clientId: "page" });
  history.replaceState(null, "", "/");
});

async function shown() {
  const [{ Door }, { enter }] = [await import("./door"), await import("../lib/sign-in")];
  const entry = enter();
  await act(async () => {
    render(<Door entry={entry}>the page</Door>);
    await entry;
  });
}

test("without an issuer the page is open, and no library is loaded", async () => {
  about();
  people.settings = undefined;
  await shown();
  expect(screen.getByText("the page")).toBeTruthy();
  expect(people.settings).toBeUndefined();
});

test("who is not signed in is led to the issuer", async () => {
  await shown();
  expect(screen.queryByText("the page")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: texts.signIn.button }));
  expect(people.signinRedirect).toHaveBeenCalledOnce();
  expect(people.settings).toMatchObject({
    authority: "https://issuer.test",
    client_id: "page",
    redirect_uri: `${location.origin}/`,
  });
});

test("an issuer that does not answer is told of", async () => {
  people.signinRedirect.mockRejectedValue(new TypeError("Failed to fetch"));
  await shown();
  await userEvent.click(screen.getByRole("button", { name: texts.signIn.button }));
  expect((await screen.findByRole("alert")).textContent).toBe(texts.signIn.unanswered);
});

test("who comes back from the issuer enters, and the answer leaves the address", async () => {
  people.signinCallback.mockImplementation(() => Promise.resolve((people.user = ALICE)));
  history.replaceState(null, "", "/?code=1&state=2");
  await shown();
  expect(screen.getByText("the page")).toBeTruthy();
  expect(location.search).toBe("");
});

test("an answer to somebody else's question lets nobody in", async () => {
  people.signinCallback.mockRejectedValue(new Error("No matching state found in storage"));
  history.replaceState(null, "", "/?code=1&state=2");
  await shown();
  expect(screen.queryByText("the page")).toBeNull();
  expect(location.search).toBe("");
});

test("a token whose time is over does not open the page", async () => {
  people.user = { ...ALICE, expired: true };
  await shown();
  expect(screen.queryByText("the page")).toBeNull();
});

test("requests say who asks; a token that is refused is forgotten and the door closes", async () => {
  people.user = ALICE;
  await shown();
  const asked: (string | null)[] = [];
  let status = 200;
  server.use(
    http.get("/api/jobs/0a", ({ request }) => {
      asked.push(request.headers.get("Authorization"));
      return HttpResponse.json({}, { status });
    }),
  );
  const { call } = await import("../lib/api");
  await call("/jobs/0a");
  expect(asked).toEqual(["Bearer a.b.c"]);
  status = 401;
  await act(() => expect(call("/jobs/0a")).rejects.toMatchObject({ code: "NotSignedIn" }));
  expect(people.user).toBeNull();
  expect(screen.queryByText("the page")).toBeNull();
});
