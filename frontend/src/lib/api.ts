import { config } from "../config";
import { texts } from "../texts";
import { isAbort, offline, Refused, type Failure } from "./failure";

type Call = { method?: "GET" | "POST" | "DELETE"; body?: unknown; signal?: AbortSignal | undefined };

/** Calls the API and reads its JSON; raises Refused with the API's own code and sentence. */
export async function call<Answer>(path: string, { method = "GET", body, signal }: Call = {}): Promise<Answer> {
  const response = await reach(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    ...(signal ? { signal } : {}),
  });
  const text = await response.text().catch(() => "");
  if (response.ok) return (text ? parsed(text) : undefined) as Answer;
  const { code, message } = (parsed(text) ?? {}) as Partial<Failure>;
  throw new Refused(code ?? "InternalError", message ?? texts.failures.unforeseen);
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    const { api } = await config();
    return await fetch(api + path, { cache: "no-store", ...init });
  } catch (error) {
    throw isAbort(error) ? error : offline();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
