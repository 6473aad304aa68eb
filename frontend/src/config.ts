import { ANSWER, within } from "./lib/within";

/** What differs from stack to stack, from a file beside the page, so that one build serves all. */
export type Config = {
  /** Where the API is, without a slash at its end. */
  api: string;
  /** The OpenID Connect issuer that people sign in with, and the id it knows this page by; without, all may enter. */
  signIn?: { issuer: string; clientId: string };
};

let loading: Promise<Config> | undefined;

/** The configuration, fetched once; after a failure the next call tries again. */
export function config(): Promise<Config> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<Config> {
  const response = await fetch("/config.json", { cache: "no-store", signal: within(ANSWER) });
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  const { api, ...more } = (await response.json()) as Config;
  return { api: api.replace(/\/$/, ""), ...more };
}
