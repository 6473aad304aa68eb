/** Fails if what a visitor loads before the page works is too much: the JavaScript of index.html, gzipped. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 150_000;

const dist = new URL("../dist/", import.meta.url);
const html = readFileSync(new URL("index.html", dist), "utf8");
const initial = (pattern) =>
  [...html.matchAll(pattern)].reduce((sum, [, path]) => sum + gzipped(path.replace(/^\//, "")), 0);
const gzipped = (path) => gzipSync(readFileSync(new URL(path, dist)), { level: 9 }).length;

const scripts = initial(/(?:src|href)="([^"]+\.js)"/g);
console.log(`initial JavaScript ${scripts} bytes gzipped, of at most ${LIMIT}`);
console.log(`initial CSS ${initial(/href="([^"]+\.css)"/g)} bytes gzipped`);
if (scripts === 0 || scripts > LIMIT) process.exit(1);
