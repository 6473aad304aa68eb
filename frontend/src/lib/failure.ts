import { texts } from "../texts";

/** What went wrong, as the API says it: a name for programs and a sentence for people. */
export type Failure = { code: string; message: string };

/** A request that was refused, or that found nobody to answer. */
export class Refused extends Error implements Failure {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The network is away: trying again later helps. */
export const offline = () => new Refused("Offline", texts.failures.offline);

/** What a request that failed is told as: stopped on purpose, or without an answer in time. */
export const unanswered = (error: unknown) => (isAbort(error) ? error : offline());

/** The code and the sentence of anything that was thrown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refused) return { code: error.code, message: error.message };
  return { code: "InternalError", message: texts.failures.unforeseen };
}

/** Whether an error says that this was stopped on purpose. */
export function isAbort(error: unknown): boolean {
  return (error as { name?: unknown } | undefined)?.name === "AbortError";
}
