import { totalOf, type CompletedJob } from "../../jobs/job";
import { texts } from "../../texts";

/** How much is hidden, and how much stays visible by a person's decision. */
export function outcomeOf({ hidden, kept, reviewed, options }: CompletedJob): string {
  const isKept = totalOf(kept) > 0;
  const none = isKept || reviewed ? texts.result.nothingHidden : texts.result.none(options.kinds ?? []);
  const told = totalOf(hidden) === 0 ? none : texts.result.hidden(hidden);
  return isKept ? texts.result.kept(told, totalOf(kept)) : told;
}
