/** Aborts a request when the given signal aborts, or with a TimeoutError after this many milliseconds. */
export const withTimeout = (milliseconds: number, signal?: AbortSignal) =>
  AbortSignal.any([...(signal ? [signal] : []), AbortSignal.timeout(milliseconds)]);

/** The longest that the server may take for a small answer, in milliseconds. */
export const ANSWER_TIMEOUT = 20_000;
