import { JOB_OPTIONS } from "../api/values";
import { local, readStored, store } from "../lib/stored";
import type { Appearance, JobOptions } from "./job";

/** A person's choices: a job's options, and whether large photos are reduced before upload. */
export type Choices = JobOptions & { reduce: boolean };

const jobDefaults = Object.fromEntries<unknown>(
  Object.entries(JOB_OPTIONS).map(([name, option]) => [name, option.default]),
) as JobOptions;

export const DEFAULTS: Choices = { ...jobDefaults, reduce: false };

export const REVIEWS = JOB_OPTIONS.review.values;
export const STYLES = JOB_OPTIONS.style.values;
export const SHAPES = JOB_OPTIONS.shape.values;
export const OUTPUTS = JOB_OPTIONS.output.values;
export const KINDS = JOB_OPTIONS.kinds.values;
export const METADATA = JOB_OPTIONS.keep_metadata.values;

/** The ranges of the sliders. */
export const PADDING = { ...range(JOB_OPTIONS.padding), step: 0.02 };
export const CONFIDENCE = { ...range(JOB_OPTIONS.min_confidence), step: 1 };
export const HOURS_KEPT = { ...range(JOB_OPTIONS.keep_original), step: 1 };
export const STRENGTH = { ...range(JOB_OPTIONS.strength), step: 1 };

function range({ minimum, maximum }: { minimum: number; maximum: number }) {
  return { min: minimum, max: maximum };
}

const KEY = "faceblur.options";

/** The remembered choices. A choice that is missing or of another type gets its default. */
export function readChoices(): Choices {
  const stored = (readStored(local, KEY) ?? {}) as Record<string, unknown>;
  const choices = Object.entries(DEFAULTS).map(([name, value]) => [
    name,
    typeof stored[name] === typeof value ? stored[name] : value,
  ]);
  const kinds = known(KINDS, stored.kinds);
  return {
    ...(Object.fromEntries(choices) as Choices),
    kinds: kinds.length > 0 ? kinds : DEFAULTS.kinds,
    keep_metadata: known(METADATA, stored.keep_metadata),
  };
}

/** The values that are in a remembered list. */
const known = <Value>(values: readonly Value[], list: unknown): Value[] =>
  values.filter((value) => Array.isArray(list) && list.includes(value));

export const rememberChoices = (choices: Choices) => store(local, KEY, choices);

/** The part of the options that says how faces look when they are hidden. */
export const appearanceOf = ({ style, shape, padding, strength, colour }: Appearance): Appearance => ({
  style,
  shape,
  padding,
  strength,
  colour,
});

/** The choices that go to the API. */
export function jobOptions({ reduce, ...options }: Choices): JobOptions {
  return options;
}
