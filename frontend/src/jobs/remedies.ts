import type { Failure, KnownErrorCode } from "../api/failure";
import { texts } from "../texts";
import { DEFAULTS, type Choices } from "./choices";

/** The remedy for a failure: trying again, perhaps with other choices. Null if only another photo helps. */
export type Remedy = { label: string; choices: Partial<Choices> } | null;

/** A confidence at which many more faces are found than by default. */
const LOW_CONFIDENCE = 20;

const AGAIN: Remedy = { label: texts.remedies.again, choices: {} };

const REMEDIES: Record<KnownErrorCode, Remedy> = {
  UnsupportedFormat: null,
  CorruptImage: null,
  ImageTooSmall: null,
  TooMuchToHide: null,
  Interrupted: null,
  CannotReduce: null,
  ImageTooLarge: { label: texts.remedies.reduce, choices: { reduce: true } },
  PhotoTooExpensive: { label: texts.remedies.reduce, choices: { reduce: true } },
  PhotoTooDemanding: { label: texts.remedies.reduce, choices: { reduce: true } },
  NothingFound: { label: texts.remedies.lower, choices: { min_confidence: LOW_CONFIDENCE } },
  InvalidOptions: { label: texts.remedies.reset, choices: DEFAULTS },
  UploadReplaced: AGAIN,
  DetectorThrottled: AGAIN,
  DetectorUnavailable: AGAIN,
  StorageUnavailable: AGAIN,
  UploadExpired: AGAIN,
  ReviewExpired: AGAIN,
  TimedOut: AGAIN,
  Aborted: AGAIN,
  InternalError: AGAIN,
  NotSignedIn: AGAIN,
  JobNotFound: AGAIN,
  JobNotFinished: AGAIN,
  InvalidDecision: null,
  ReviewClosed: null,
  OriginalDeleted: null,
  BatchNotFound: null,
  BatchNotReady: null,
  SourceNotAllowed: null,
  RouteNotFound: null,
  BudgetSpent: AGAIN,
  Offline: AGAIN,
  PageOutdated: AGAIN,
};

/** The remedy for a failure with this code. For an unknown code it is trying again. */
export function remedyFor(code: Failure["code"]): Remedy {
  return code in REMEDIES ? REMEDIES[code as KnownErrorCode] : AGAIN;
}
