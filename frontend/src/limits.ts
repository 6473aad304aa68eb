import { PHOTO_LIMITS } from "./api/values";

/** The API's limits of a photo. */
export const { max_bytes: MAX_BYTES, max_pixels: MAX_PIXELS, min_side: MIN_SIDE } = PHOTO_LIMITS;

/** The most pixels of a photo if the person chose to reduce photos: few enough for the canvas of every browser. */
export const REDUCED_PIXELS = 16_000_000;
