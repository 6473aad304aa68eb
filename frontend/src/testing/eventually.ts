import { vi } from "vitest";

/** How long a test waits for what takes no time where the machine is not busy, in milliseconds. */
export const PATIENCE = 20_000;

/** Waits until the check passes. */
export const eventually = (check: () => void) => vi.waitFor(check, { timeout: PATIENCE });
