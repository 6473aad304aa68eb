import type { CompletedJob } from "../../jobs/job";
import { texts } from "../../texts";

/** How many faces are hidden, and how many stay visible because a person decided so. */
export function outcomeOf({ faces, kept, reviewed }: CompletedJob): string {
  const none = kept > 0 || reviewed ? texts.result.nothingHidden : texts.result.none;
  const hidden = faces === 0 ? none : texts.result.hidden(faces);
  return kept > 0 ? texts.result.kept(hidden, kept) : hidden;
}
