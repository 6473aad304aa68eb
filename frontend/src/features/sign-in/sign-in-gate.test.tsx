import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, test, vi, type Mock } from "vitest";
import { server } from "../../testing/server";
import { texts } from "../../texts";

/** The user that the library reports, and what the page asks of the library. */
type User = { id_token: string; expired: boolean };
const oidc = vi.hoisted((): { user: User | null; settings: unknown; signinCallback: Mock; signinRedirect: Mock } => ({
  user: null,
  settings: undefined,
  signinCallback: vi.fn(),
  signinRedirect: vi.fn(),
}));
vi.mock("oidc-client-ts", () => ({
  UserManager: class {
    constructor(settings: unknown) {
      oidc.settings = settings;
    }
    getUser = () => Promise.resolve(oidc.user);
    removeUser = () => Promise.resolve(void (oidc.user = null));
    signinCallback = oidc.signinCallback;
    signinRedirect = oidc.signinRedirect;
  },
}));

const ALICE = { id_token: "a.b.c", expired: false };
const configure = (signIn?: object) =>
  server.use(http.get("/config.json", () => HttpResponse.json({ api: "/api", ...(signIn ? { signIn } : {}) })));

beforeEach(() => {
  vi.resetModules(); // each test starts with a freshly loaded page
  oidc.user = null;
  oidc.signinCallback.mockReset().mockResolvedValue(undefined);
  oidc.signinRedirect.mockReset().mockResolvedValue(undefined);
  configure({ issuer: "https://issuer.test", clientId: "page" });
  history.replaceState(null, "", "/");
});

async function showGate() {
  const [{ SignInGate }, { checkSignIn }] = [await import("./sign-in-gate"), await import("../../api/sign-in")];
  const allowed = checkSignIn();
  await act(async () => {
    render(<SignInGate allowed={allowed}>the page</SignInGate>);
    await allowed;
  });
}

test("without an issuer the page is shown and the library is not loaded", async () => {
  configure();
  oidc.settings = undefined;
  await showGate();
  expect(screen.getByText("the page")).toBeTruthy();
  expect(oidc.settings).toBeUndefined();
});

test("a person who is not signed in is sent to the issuer", async () => {
  await showGate();
  expect(screen.queryByText("the page")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: texts.signIn.button }));
  expect(oidc.signinRedirect).toHaveBeenCalledOnce();
  expect(oidc.settings).toMatchObject({
    authority: "https://issuer.test",
    client_id: "page",
    redirect_uri: `${location.origin}/`,
  });
});

test("the page says that the issuer does not answer", async () => {
  oidc.signinRedirect.mockRejectedValue(new TypeError("Failed to fetch"));
  await showGate();
  await userEvent.click(screen.getByRole("button", { name: texts.signIn.button }));
  expect((await screen.findByRole("alert")).textContent).toBe(texts.signIn.unanswered);
});

test("a person who returns from the issuer sees the page, and the address no longer holds the answer", async () => {
  oidc.signinCallback.mockImplementation(() => Promise.resolve((oidc.user = ALICE)));
  history.replaceState(null, "", "/?code=1&state=2");
  await showGate();
  expect(screen.getByText("the page")).toBeTruthy();
  expect(location.search).toBe("");
});

test("an answer that this page did not ask for signs nobody in", async () => {
  oidc.signinCallback.mockRejectedValue(new Error("No matching state found in storage"));
  history.replaceState(null, "", "/?code=1&state=2");
  await showGate();
  expect(screen.queryByText("the page")).toBeNull();
  expect(location.search).toBe("");
});

test("an expired token does not open the page", async () => {
  oidc.user = { ...ALICE, expired: true };
  await showGate();
  expect(screen.queryByText("the page")).toBeNull();
});

test("requests carry the token; when the API refuses it, it is forgotten and the page is hidden", async () => {
  oidc.user = ALICE;
  await showGate();
  const tokens: (string | null)[] = [];
  let status = 200;
  server.use(
    http.get("/api/jobs/0a", ({ request }) => {
      tokens.push(request.headers.get("Authorization"));
      return HttpResponse.json({}, { status });
    }),
  );
  const { call } = await import("../../api/client");
  await call("/jobs/0a");
  expect(tokens).toEqual(["Bearer a.b.c"]);
  status = 401;
  await act(() => expect(call("/jobs/0a")).rejects.toMatchObject({ code: "NotSignedIn" }));
  expect(oidc.user).toBeNull();
  expect(screen.queryByText("the page")).toBeNull();
});
