/** What a photo may be: the limits of the API. */
export const MAX_BYTES = 35_000_000;
export const MAX_PIXELS = 100_000_000;
export const MIN_SIDE = 16; // pixels
