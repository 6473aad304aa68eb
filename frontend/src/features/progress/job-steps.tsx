import { Check, Circle, CircleDot, X } from "lucide-react";
import { duration } from "../../lib/format";
import { texts } from "../../texts";
import type { Step } from "./steps";

const ICONS = { done: Check, current: CircleDot, ahead: Circle, failed: X };

/** The steps of a job, each with its state and duration. */
export function JobSteps({ steps }: { steps: readonly Step[] }) {
  return (
    <ol className="steps" aria-label={texts.steps.label}>
      {steps.map(({ name, state, milliseconds }) => {
        const Icon = ICONS[state];
        return (
          <li key={name} className={`is-${state}`} aria-current={state === "current" ? "step" : undefined}>
            <Icon aria-hidden="true" />
            <span>{texts.steps[name]}</span>
            <span className="is-sr-only">, {texts.steps.states[state]}</span>
            {milliseconds !== undefined && <span className="note">{duration(milliseconds)}</span>}
          </li>
        );
      })}
    </ol>
  );
}
