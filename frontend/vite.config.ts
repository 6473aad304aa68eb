import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Addresses of the embedded AWS, which holds the photos. */
const storage = "http://127.0.0.1:4566 http://localhost:4566";

/** The same policy as the server sends. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  `img-src 'self' blob: data: ${storage}`,
  `connect-src 'self' ${storage}`,
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The API behind `/api` during development: the address that `faceblur up` prints. */
const api = process.env["FACEBLUR_API"] ?? "http://127.0.0.1:4566/_aws/execute-api/faceblur/api";
const target = new URL(api);
const proxy = {
  "/api": {
    target: target.origin,
    changeOrigin: true,
    rewrite: (path: string) => target.pathname.replace(/\/$/, "") + path.slice("/api".length),
  },
};

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy, headers: { "Content-Security-Policy": contentSecurityPolicy } },
  build: { target: "es2022", modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  // Bulma is written for an older Sass. We cannot fix what Sass warns about in it.
  css: { preprocessorOptions: { scss: { quietDeps: true, silenceDeprecations: ["if-function"] } } },
  worker: { format: "es" },
  test: {
    environment: "jsdom",
    setupFiles: ["src/testing/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    maxWorkers: 2,
    isolate: false, // a new environment for each file takes longer than the tests
    testTimeout: 120_000, // on a busy machine, queries by role take seconds
    restoreMocks: true,
    unstubGlobals: true,
  },
});
