import { ANSWER_TIMEOUT, withTimeout } from "./timeout";

/** The settings of a deployment. They come from a file beside the page, so one build serves all deployments. */
export type Config = {
  /** Address of the API, without a slash at its end. */
  api: string;
  /** The OpenID Connect issuer, and the client id of this page there. Without it, nobody has to sign in. */
  signIn?: { issuer: string; clientId: string };
};

let loading: Promise<Config> | undefined;

/** The configuration, fetched once. After a failure, the next call tries again. */
export function config(): Promise<Config> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<Config> {
  const response = await fetch("/config.json", { cache: "no-store", signal: withTimeout(ANSWER_TIMEOUT) });
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  const { api, ...rest } = (await response.json()) as Config;
  return { api: api.replace(/\/$/, ""), ...rest };
}
