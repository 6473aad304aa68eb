/**
 * Writes src/api/schema.ts (types) and src/api/values.ts (limits, options and stages) from docs/openapi.yaml. This runs
 * before each build, test and lint, so the page cannot differ from the API.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { load } from "js-yaml";
import openapiTS, { astToString } from "openapi-typescript";

const source = new URL("../../docs/openapi.yaml", import.meta.url);
const api = load(readFileSync(source, "utf8"));
const { JobOptions, Progress } = api.components.schemas;

/** What the page needs of an option: its default, and the values that it may have. */
const valuesOf = ([name, { default: normal, enum: values, items, minimum, maximum }]) => [
  name,
  { default: normal, values: values ?? items?.enum, minimum, maximum },
];

const constants = {
  PHOTO_LIMITS: api["x-photo-limits"],
  JOB_OPTIONS: Object.fromEntries(Object.entries(JobOptions.properties).map(valuesOf)),
  STAGES: Object.keys(Progress.properties),
};

/** Writes a file if its content differs, so that `make` does not build the page again without need. */
function write(name, content) {
  const file = new URL(`../src/api/${name}`, import.meta.url);
  const text = `// Generated from docs/openapi.yaml by scripts/generate-api.js.\n${content}`;
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
}

// Without `defaultNonNullable: false`, a request would have to name every option that has a default.
write("schema.ts", astToString(await openapiTS(source, { defaultNonNullable: false })));
write(
  "values.ts",
  Object.entries(constants)
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value, null, 2)} as const;\n`)
    .join(""),
);
