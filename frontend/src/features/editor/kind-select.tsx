import { KINDS } from "../../jobs/choices";
import type { Kind } from "../../jobs/job";
import { texts } from "../../texts";

type Props = { label: string; value: Kind; onChange: (kind: Kind) => void };

/** Chooses what a box shows. */
export function KindSelect({ label, value, onChange }: Props) {
  return (
    <label className="editor-kind">
      {label}
      <select value={value} onChange={(event) => onChange(event.target.value as Kind)}>
        {KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {texts.kinds[kind]}
          </option>
        ))}
      </select>
    </label>
  );
}
