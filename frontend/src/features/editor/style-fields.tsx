import { useId } from "react";
import { PADDING, SHAPES, STRENGTH, STYLES } from "../../jobs/choices";
import type { Appearance } from "../../jobs/job";
import { percent } from "../../lib/format";
import { texts } from "../../texts";

type Props = { legend: string; value: Appearance; onChange: (value: Appearance) => void };

const words = texts.options;

/** The style of a region, or of all regions of a photo. */
export function StyleFields({ legend, value, onChange }: Props) {
  const id = useId();
  const set = (change: Partial<Appearance>) => onChange({ ...value, ...change });
  return (
    <fieldset className="editor-style">
      <legend>{legend}</legend>
      <label htmlFor={`${id}-style`}>{words.style.label}</label>
      <select
        id={`${id}-style`}
        value={value.style}
        onChange={(event) => set({ style: event.target.value as Appearance["style"] })}
      >
        {STYLES.map((style) => (
          <option key={style} value={style}>
            {words.style[style]}
          </option>
        ))}
      </select>
      <label htmlFor={`${id}-shape`}>{words.shape.label}</label>
      <select
        id={`${id}-shape`}
        value={value.shape}
        onChange={(event) => set({ shape: event.target.value as Appearance["shape"] })}
      >
        {SHAPES.map((shape) => (
          <option key={shape} value={shape}>
            {words.shape[shape]}
          </option>
        ))}
      </select>
      <label htmlFor={`${id}-padding`}>{texts.editor.padding}</label>
      <input
        id={`${id}-padding`}
        type="range"
        {...PADDING}
        value={value.padding}
        aria-valuetext={percent(value.padding)}
        onChange={(event) => set({ padding: Number(event.target.value) })}
      />
      {value.style === "solid" ? (
        <>
          <label htmlFor={`${id}-colour`}>{words.colour.label}</label>
          <input
            id={`${id}-colour`}
            type="color"
            value={value.colour}
            onChange={(event) => set({ colour: event.target.value })}
          />
        </>
      ) : (
        <>
          <label htmlFor={`${id}-strength`}>{words.strength.label}</label>
          <input
            id={`${id}-strength`}
            type="range"
            {...STRENGTH}
            value={value.strength}
            aria-valuetext={words.strength.value(value.strength)}
            onChange={(event) => set({ strength: Number(event.target.value) })}
          />
        </>
      )}
    </fieldset>
  );
}
