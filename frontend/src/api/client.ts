import { texts } from "../texts";
import { config } from "./config";
import { Refused, requestError, type Failure } from "./failure";
import { authorization, signedOut } from "./sign-in";
import { ANSWER_TIMEOUT, withTimeout } from "./timeout";

type Call = { method?: "GET" | "POST" | "PUT" | "DELETE"; body?: unknown; signal?: AbortSignal | undefined };

/** Calls the API and returns the JSON of its answer. Throws Refused with the API's own code and sentence. */
export async function call<Answer>(path: string, { method = "GET", body, signal }: Call = {}): Promise<Answer> {
  const { status, text } = await request(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    signal: withTimeout(ANSWER_TIMEOUT, signal),
  });
  if (status < 300) return (text ? parseJson(text) : undefined) as Answer;
  if (status === 401) {
    await signedOut();
    throw new Refused("NotSignedIn", texts.failures.notSignedIn);
  }
  const { code, message } = (parseJson(text) ?? {}) as Partial<Failure>;
  throw new Refused(code ?? "InternalError", message ?? texts.failures.unforeseen);
}

async function request(path: string, init: RequestInit): Promise<{ status: number; text: string }> {
  try {
    const { api } = await config();
    const headers = { ...init.headers, ...(await authorization()) };
    const response = await fetch(api + path, { cache: "no-store", ...init, headers });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw requestError(error);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
