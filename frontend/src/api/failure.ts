import { texts } from "../texts";
import type { components } from "./schema";

type Schemas = components["schemas"];

/** Failures that the page finds itself. */
type PageErrorCode = "Offline" | "Interrupted" | "CannotReduce" | "PageOutdated";

/** API Gateway's own codes, such as THROTTLED. */
type GatewayErrorCode = Uppercase<string>;

/** Every code for which the page has a remedy. */
export type KnownErrorCode = Schemas["JobError"]["code"] | Schemas["RequestErrorCode"] | PageErrorCode;

/** A failure: a code for programs and a sentence for people. */
export type Failure = { code: KnownErrorCode | GatewayErrorCode; message: string };

/** A request that was refused or got no answer. */
export class Refused extends Error implements Failure {
  constructor(
    readonly code: Failure["code"],
    message: string,
  ) {
    super(message);
  }
}

/** The server cannot be reached: trying again later helps. */
export const offline = () => new Refused("Offline", texts.failures.offline);

/** The error of a request without an answer: `offline`, unless the request was cancelled on purpose. */
export const requestError = (error: unknown) => (isAbort(error) ? error : offline());

/** The code and the sentence for anything that was thrown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refused) return { code: error.code, message: error.message };
  return { code: "InternalError", message: texts.failures.unforeseen };
}

/** Whether the error comes from cancelling on purpose. */
function isAbort(error: unknown): boolean {
  return (error as { name?: unknown } | undefined)?.name === "AbortError";
}
