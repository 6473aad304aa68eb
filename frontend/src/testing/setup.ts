import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { PATIENCE } from "./eventually";
import { locks } from "./locks";
import { resetJobs, server } from "./server";

configure({ asyncUtilTimeout: PATIENCE });

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  history.replaceState(null, "", "/");
  locks.closeTabs();
  // These functions are missing in jsdom.
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  vi.stubGlobal("Image", FakeImage);
  vi.stubGlobal("ResizeObserver", FakeResizeObserver);
  Object.defineProperty(navigator, "locks", { value: locks, configurable: true });
  URL.createObjectURL = vi.fn(() => "blob:photo");
  URL.revokeObjectURL = vi.fn();
  HTMLCanvasElement.prototype.getContext = () => null;
  HTMLDialogElement.prototype.showModal = function (this: HTMLDialogElement) {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function (this: HTMLDialogElement) {
    this.open = false;
  };
  FakeImage.size = { width: 640, height: 480 };
  vi.spyOn(console, "error");
});

afterEach(() => {
  cleanup();
  server.resetHandlers();
  resetJobs();
  expect(console.error).not.toHaveBeenCalled();
});

afterAll(() => {
  server.close();
  // Files share a worker. Without this, the next file would get modules that this file has mocked.
  vi.resetModules();
});

/** Finds every element 800 by 600 pixels large. */
class FakeResizeObserver {
  constructor(private readonly callback: (entries: { contentRect: { width: number; height: number } }[]) => void) {}
  observe() {
    this.callback([{ contentRect: { width: 800, height: 600 } }]);
  }
  disconnect() {}
}

/** An image that loads at once, or fails at once if it has no size. */
export class FakeImage {
  static size: { width: number; height: number } | undefined;
  naturalWidth = FakeImage.size?.width ?? 0;
  naturalHeight = FakeImage.size?.height ?? 0;
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  set src(_: string) {
    queueMicrotask(() => (FakeImage.size ? this.onload?.() : this.onerror?.()));
  }
}
