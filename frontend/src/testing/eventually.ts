import { vi } from "vitest";

/** The longest that a test waits, in milliseconds. Only a busy machine needs that long. */
export const PATIENCE = 20_000;

/** Waits until the check passes. */
export const eventually = (check: () => void) => vi.waitFor(check, { timeout: PATIENCE });
