import type { components } from "../../api/schema";

/** The receipt of a completed job. Its boxes are in fractions of the upright photo. */
export type Receipt = components["schemas"]["Receipt"];

export type Box = Receipt["boxes"][number];
