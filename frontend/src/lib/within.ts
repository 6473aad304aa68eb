/** A signal that stops a request after so many milliseconds, with a TimeoutError, or when the given one says so. */
export const within = (milliseconds: number, signal?: AbortSignal) =>
  AbortSignal.any([...(signal ? [signal] : []), AbortSignal.timeout(milliseconds)]);

/** How long the server may take for a small answer, in milliseconds. */
export const ANSWER = 20_000;
