import { local, readStored, store } from "../../lib/stored";

/** The options of a job, as `POST /jobs` takes them. */
export type JobOptions = {
  style: "blur" | "pixelate" | "solid";
  shape: "ellipse" | "rounded" | "box";
  padding: number;
  strength: number;
  colour: string;
  min_confidence: number;
  output: "same" | "jpeg" | "png" | "webp" | "avif";
  on_no_faces: "complete" | "fail";
  keep_original: boolean;
};

/** The choices of a person: a job's options, and whether large photos are reduced before upload. */
export type Choices = JobOptions & { reduce: boolean };

export const DEFAULTS: Choices = {
  style: "blur",
  shape: "ellipse",
  padding: 0.24,
  strength: 1,
  colour: "#000000",
  min_confidence: 50,
  output: "same",
  on_no_faces: "complete",
  keep_original: false,
  reduce: false,
};

export const PADDING = { min: 0.1, max: 1, step: 0.02 };
export const CONFIDENCE = { min: 0, max: 100, step: 1 };
export const STRENGTH = { min: 1, max: 3, step: 1 };
export const STYLES = ["blur", "pixelate", "solid"] as const;
export const SHAPES = ["ellipse", "rounded", "box"] as const;
export const OUTPUTS = ["same", "jpeg", "png", "webp", "avif"] as const;

const KEY = "faceblur.options";

/** The remembered choices; what is not, or no longer, one has its default. */
export function readChoices(): Choices {
  const stored = (readStored(local, KEY) ?? {}) as Record<string, unknown>;
  const known = Object.entries(DEFAULTS).map(([name, value]) => [
    name,
    typeof stored[name] === typeof value ? stored[name] : value,
  ]);
  return Object.fromEntries(known) as Choices;
}

export const rememberChoices = (choices: Choices) => store(local, KEY, choices);

/** The part of the choices that the API is told. */
export function jobOptions({ reduce, ...options }: Choices): JobOptions {
  return options;
}
