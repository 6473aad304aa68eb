/** Fails if the JavaScript that index.html loads at once is larger than the limit, gzipped. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 150_000; // bytes

const dist = new URL("../dist/", import.meta.url);
const html = readFileSync(new URL("index.html", dist), "utf8");
const initialSize = (pattern) =>
  [...html.matchAll(pattern)].reduce((sum, [, path]) => sum + gzipped(path.replace(/^\//, "")), 0);
const gzipped = (path) => gzipSync(readFileSync(new URL(path, dist)), { level: 9 }).length;

const scripts = initialSize(/(?:src|href)="([^"]+\.js)"/g);
console.log(`initial JavaScript: ${scripts} bytes gzipped, limit ${LIMIT}`);
console.log(`initial CSS: ${initialSize(/href="([^"]+\.css)"/g)} bytes gzipped`);
if (scripts === 0 || scripts > LIMIT) process.exit(1);
