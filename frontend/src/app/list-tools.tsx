import { ChevronDown, LayoutGrid, Rows3 } from "lucide-react";
import { useId } from "react";
import { cleanSuffix } from "../features/results/file-name";
import type { PhotoState } from "../jobs/job";
import { texts } from "../texts";
import { VIEWS, type ListSettings } from "./list-settings";

/** Which photos are shown. */
export type Filter = PhotoState | "all";

const ICONS = { list: Rows3, grid: LayoutGrid };

type FilterProps = { filter: Filter; states: readonly PhotoState[]; onChange: (filter: Filter) => void };

/** The choice of the state whose photos are shown. */
export function FilterChoice({ filter, states, onChange }: FilterProps) {
  return (
    <fieldset className="chips">
      <legend className="is-sr-only">{texts.list.filter}</legend>
      {(["all", ...states] as const).map((one) => (
        <label key={one}>
          <input type="radio" name="filter" checked={filter === one} onChange={() => onChange(one)} />
          <span>{one === "all" ? texts.list.all : texts.card.states[one]}</span>
        </label>
      ))}
    </fieldset>
  );
}

type SettingsProps<Name extends keyof ListSettings> = {
  value: ListSettings[Name];
  onChange: (value: ListSettings[Name]) => void;
};

/** The choice between a list and a grid. */
export function ViewChoice({ value, onChange }: SettingsProps<"view">) {
  return (
    <fieldset className="themes">
      <legend className="is-sr-only">{texts.list.view}</legend>
      {VIEWS.map((view) => {
        const Icon = ICONS[view];
        return (
          <label key={view} title={texts.list.views[view]}>
            <input type="radio" name="view" checked={value === view} onChange={() => onChange(view)} />
            <Icon aria-hidden="true" />
            <span className="is-sr-only">{texts.list.views[view]}</span>
          </label>
        );
      })}
    </fieldset>
  );
}

/** The choice of the suffix for the names of downloads. */
export function SuffixChoice({ value, onChange }: SettingsProps<"suffix">) {
  const id = useId();
  return (
    <details className="suffix">
      <summary className="note">
        <ChevronDown aria-hidden="true" />
        {texts.list.suffix.label} {value ? `“${value}”` : texts.list.suffix.nothing}
      </summary>
      <input
        type="text"
        aria-label={texts.list.suffix.label}
        aria-describedby={id}
        value={value}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onChange(cleanSuffix(event.target.value))}
      />
      <p className="note" id={id}>
        {texts.list.suffix.explain}
      </p>
    </details>
  );
}
