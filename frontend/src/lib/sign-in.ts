import type { UserManager } from "oidc-client-ts";
import { config } from "../config";

let making: Promise<UserManager | undefined> | undefined;
let entering: Promise<boolean> | undefined;
const listeners = new Set<() => void>();

/** Who knows whether somebody is signed in; undefined where nobody has to be. */
function manager(): Promise<UserManager | undefined> {
  making ??= make().catch((error: unknown) => {
    making = undefined;
    throw error;
  });
  return making;
}

async function make(): Promise<UserManager | undefined> {
  const { signIn } = await config();
  if (!signIn) return undefined;
  // A file of its own, which only a deployment with sign-in loads. It keeps tokens as long as the tab is open.
  const { UserManager } = await import("oidc-client-ts");
  return new UserManager({
    authority: signIn.issuer,
    client_id: signIn.clientId,
    redirect_uri: `${location.origin}/`,
    scope: "openid",
    automaticSilentRenew: false,
  });
}

/** Whether the page may be used: signed in, perhaps just now by the issuer that led here, or with no need to be. */
export function enter(): Promise<boolean> {
  entering = entered();
  return entering;
}

async function entered(): Promise<boolean> {
  const people = await manager();
  if (!people) return true;
  const answer = new URLSearchParams(location.search);
  if (answer.has("state") && (answer.has("code") || answer.has("error"))) {
    // An answer that is old, or not to a question of ours, lets nobody in.
    await people.signinCallback().catch(() => undefined);
    history.replaceState(null, "", "/");
  }
  const user = await people.getUser();
  return user !== null && !user.expired;
}

/** Leads to the issuer, which leads back here; raises if it does not answer. */
export async function signIn(): Promise<void> {
  await (await manager())?.signinRedirect();
}

/** The header of a request to the API that says who asks, once that is known. */
export async function authorization(): Promise<Record<string, string>> {
  await entering?.catch(() => undefined);
  const user = await (await manager())?.getUser();
  return user?.id_token ? { Authorization: `Bearer ${user.id_token}` } : {};
}

/** Forgets a token that the API no longer takes, and tells those who listen. */
export async function signedOut(): Promise<void> {
  await (await manager())?.removeUser();
  listeners.forEach((listener) => listener());
}

export function onSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
