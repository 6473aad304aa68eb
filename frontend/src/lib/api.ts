import { config } from "../config";
import { texts } from "../texts";
import { Refused, unanswered, type Failure } from "./failure";
import { ANSWER, within } from "./within";

type Call = { method?: "GET" | "POST" | "DELETE"; body?: unknown; signal?: AbortSignal | undefined };

/** Calls the API and reads its JSON; raises Refused with the API's own code and sentence. */
export async function call<Answer>(path: string, { method = "GET", body, signal }: Call = {}): Promise<Answer> {
  const { ok, text } = await reach(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    signal: within(ANSWER, signal),
  });
  if (ok) return (text ? parsed(text) : undefined) as Answer;
  const { code, message } = (parsed(text) ?? {}) as Partial<Failure>;
  throw new Refused(code ?? "InternalError", message ?? texts.failures.unforeseen);
}

async function reach(path: string, init: RequestInit): Promise<{ ok: boolean; text: string }> {
  try {
    const { api } = await config();
    const response = await fetch(api + path, { cache: "no-store", ...init });
    return { ok: response.ok, text: await response.text() };
  } catch (error) {
    throw unanswered(error);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
