import { texts } from "../../texts";
import { DEFAULTS, type Choices } from "../options/options";

/** What helps against a failure: trying again, perhaps with other choices; null if only another photo helps. */
export type Remedy = { label: string; choices: Partial<Choices> } | null;

const AGAIN: Remedy = { label: texts.remedies.again, choices: {} };

/** A confidence at which much more is found than by default. */
const LOW_CONFIDENCE = 20;

/** The remedy for the failure with this code. */
export function remedyFor(code: string): Remedy {
  switch (code) {
    case "UnsupportedFormat":
    case "CorruptImage":
    case "ImageTooSmall":
    case "TooManyFaces":
    case "Interrupted":
      return null;
    case "ImageTooLarge":
      return { label: texts.remedies.reduce, choices: { reduce: true } };
    case "NoFacesFound":
      return { label: texts.remedies.lower, choices: { min_confidence: LOW_CONFIDENCE } };
    case "InvalidOptions":
      return { label: texts.remedies.reset, choices: DEFAULTS };
    default:
      return AGAIN;
  }
}
