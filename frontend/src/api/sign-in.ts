import type { UserManager } from "oidc-client-ts";
import { config } from "./config";

let creating: Promise<UserManager | undefined> | undefined;
let checking: Promise<boolean> | undefined;
const listeners = new Set<() => void>();

/** The library's manager of users. It is undefined where nobody has to sign in. */
function userManager(): Promise<UserManager | undefined> {
  creating ??= createUserManager().catch((error: unknown) => {
    creating = undefined;
    throw error;
  });
  return creating;
}

async function createUserManager(): Promise<UserManager | undefined> {
  const { signIn } = await config();
  if (!signIn) return undefined;
  // A separate chunk, loaded only by deployments with sign-in. It keeps tokens until the tab is closed.
  const { UserManager } = await import("oidc-client-ts");
  return new UserManager({
    authority: signIn.issuer,
    client_id: signIn.clientId,
    redirect_uri: `${location.origin}/`,
    scope: "openid",
    automaticSilentRenew: false,
  });
}

/** Whether the page may be used. Completes a sign-in if the issuer has just redirected here. */
export function checkSignIn(): Promise<boolean> {
  checking = isSignedIn();
  return checking;
}

async function isSignedIn(): Promise<boolean> {
  const manager = await userManager();
  if (!manager) return true;
  const query = new URLSearchParams(location.search);
  if (query.has("state") && (query.has("code") || query.has("error"))) {
    // The issuer's answer is old, or this page did not ask for it. It must not sign anybody in.
    await manager.signinCallback().catch(() => undefined);
    history.replaceState(null, "", "/");
  }
  const user = await manager.getUser();
  return user !== null && !user.expired;
}

/** Redirects to the issuer, which redirects back here. Throws if the issuer does not answer. */
export async function signIn(): Promise<void> {
  await (await userManager())?.signinRedirect();
}

/** The header that tells the API who is signed in. Waits until that is known. */
export async function authorization(): Promise<Record<string, string>> {
  await checking?.catch(() => undefined);
  const user = await (await userManager())?.getUser();
  return user?.id_token ? { Authorization: `Bearer ${user.id_token}` } : {};
}

/** Forgets a token that the API refused, and notifies the listeners of `onSignedOut`. */
export async function signedOut(): Promise<void> {
  await (await userManager())?.removeUser();
  listeners.forEach((listener) => listener());
}

/** Calls the listener whenever the API refuses the token. Returns a function that stops this. */
export function onSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
