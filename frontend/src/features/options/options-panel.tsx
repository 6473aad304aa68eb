import { ChevronDown, RotateCcw } from "lucide-react";
import { useId, useState, type ReactNode } from "react";
import { percent } from "../../lib/format";
import { texts } from "../../texts";
import {
  CONFIDENCE,
  DEFAULTS,
  HOURS_KEPT,
  KINDS,
  METADATA,
  OUTPUTS,
  PADDING,
  REVIEWS,
  SHAPES,
  STRENGTH,
  STYLES,
  type Choices,
} from "../../jobs/choices";
import { StylePreview } from "./style-preview";

type Props = { choices: Choices; onChange: (choices: Choices) => void };

const words = texts.options;

/** The choices of what is hidden and how, each explained in a sentence. */
export function OptionsPanel({ choices, onChange }: Props) {
  const [open, setOpen] = useState(() => window.matchMedia("(min-width: 1024px)").matches);
  const set = (change: Partial<Choices>) => onChange({ ...choices, ...change });
  return (
    <section aria-labelledby="options" className="panel-box">
      <details className="options" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <h2 id="options">{words.heading}</h2>
          <ChevronDown aria-hidden="true" />
        </summary>
        <p className="note">{words.hint}</p>
        <KindChoice chosen={choices.kinds} onChange={(kinds) => set({ kinds })} />
        <Field label={words.review.label} explain={words.review.explain}>
          {(ids) => (
            <Select
              ids={ids}
              value={choices.review}
              values={REVIEWS}
              name={(review) => words.review[review]}
              onChange={(review) => set({ review })}
            />
          )}
        </Field>
        <StyleChoice choices={choices} set={set} />
        {choices.style === "solid" ? (
          <Field label={words.colour.label} explain={words.colour.explain}>
            {(ids) => (
              <input
                {...ids}
                type="color"
                value={choices.colour}
                onChange={(event) => set({ colour: event.target.value })}
              />
            )}
          </Field>
        ) : (
          <Field
            label={words.strength.label}
            value={words.strength.value(choices.strength)}
            explain={words.strength.explain}
          >
            {(ids) => (
              <input
                {...ids}
                type="range"
                {...STRENGTH}
                value={choices.strength}
                aria-valuetext={words.strength.value(choices.strength)}
                onChange={(event) => set({ strength: Number(event.target.value) })}
              />
            )}
          </Field>
        )}
        <Field label={words.padding.label} value={percent(choices.padding)} explain={words.padding.explain}>
          {(ids) => (
            <input
              {...ids}
              type="range"
              {...PADDING}
              value={choices.padding}
              aria-valuetext={percent(choices.padding)}
              onChange={(event) => set({ padding: Number(event.target.value) })}
            />
          )}
        </Field>
        <Field
          label={words.confidence.label}
          value={words.confidence.value(choices.min_confidence)}
          explain={words.confidence.explain}
        >
          {(ids) => (
            <input
              {...ids}
              type="range"
              {...CONFIDENCE}
              value={choices.min_confidence}
              onChange={(event) => set({ min_confidence: Number(event.target.value) })}
            />
          )}
        </Field>
        <Field label={words.shape.label} explain={words.shape.explain}>
          {(ids) => (
            <Select
              ids={ids}
              value={choices.shape}
              values={SHAPES}
              name={(shape) => words.shape[shape]}
              onChange={(shape) => set({ shape })}
            />
          )}
        </Field>
        <Field label={words.output.label} explain={words.output.explain}>
          {(ids) => (
            <Select
              ids={ids}
              value={choices.output}
              values={OUTPUTS}
              name={(output) => (output === "same" ? words.output.same : output.toUpperCase())}
              onChange={(output) => set({ output })}
            />
          )}
        </Field>
        <Check words={words.reduce} checked={choices.reduce} onChange={(reduce) => set({ reduce })} />
        <Check
          words={words.nothingFound}
          checked={choices.on_nothing_found === "fail"}
          onChange={(fail) => set({ on_nothing_found: fail ? "fail" : "complete" })}
        />
        <Check
          words={words.truncated}
          checked={choices.on_truncated === "complete"}
          onChange={(accept) => set({ on_truncated: accept ? "complete" : "fail" })}
        />
        <Field label={words.keep.label} value={words.keep.value(choices.keep_original)} explain={words.keep.explain}>
          {(ids) => (
            <input
              {...ids}
              type="range"
              {...HOURS_KEPT}
              value={choices.keep_original}
              aria-valuetext={words.keep.value(choices.keep_original)}
              onChange={(event) => set({ keep_original: Number(event.target.value) })}
            />
          )}
        </Field>
        <details className="option options-more">
          <summary>
            {words.more}
            <ChevronDown aria-hidden="true" />
          </summary>
          <MetadataChoice kept={choices.keep_metadata} onChange={(keep_metadata) => set({ keep_metadata })} />
        </details>
        <button type="button" className="button is-small" onClick={() => onChange(DEFAULTS)}>
          <RotateCcw aria-hidden="true" />
          <span>{words.reset}</span>
        </button>
      </details>
    </section>
  );
}

function StyleChoice({ choices, set }: { choices: Choices; set: (change: Partial<Choices>) => void }) {
  const { shape, padding, strength, colour } = choices;
  return (
    <fieldset className="option" aria-describedby="style-explain">
      <legend>{words.style.label}</legend>
      <div className="styles">
        {STYLES.map((style) => (
          <label key={style} className="style-choice">
            <input type="radio" name="style" checked={choices.style === style} onChange={() => set({ style })} />
            <StylePreview style={style} shape={shape} padding={padding} strength={strength} colour={colour} />
            <span>{words.style[style]}</span>
          </label>
        ))}
      </div>
      <p className="note" id="style-explain">
        {words.style.explain}
      </p>
    </fieldset>
  );
}

type Kinds = Choices["kinds"];

/** The kinds to hide. At least one stays chosen. */
function KindChoice({ chosen, onChange }: { chosen: Kinds; onChange: (chosen: Kinds) => void }) {
  return (
    <fieldset className="option" aria-describedby="kinds-explain">
      <legend>{words.kinds.label}</legend>
      {KINDS.map((kind) => (
        <label key={kind} className="checkbox">
          <input
            type="checkbox"
            checked={chosen.includes(kind)}
            disabled={chosen.length === 1 && chosen.includes(kind)}
            onChange={({ target }) =>
              onChange(KINDS.filter((each) => (each === kind ? target.checked : chosen.includes(each))))
            }
          />{" "}
          {words.kinds[kind]}
        </label>
      ))}
      <p className="note" id="kinds-explain">
        {words.kinds.explain}
      </p>
    </fieldset>
  );
}

type Metadata = Choices["keep_metadata"];

function MetadataChoice({ kept, onChange }: { kept: Metadata; onChange: (kept: Metadata) => void }) {
  return (
    <fieldset aria-describedby="metadata-explain">
      <legend>{words.metadata.label}</legend>
      {METADATA.map((kind) => (
        <label key={kind} className="checkbox">
          <input
            type="checkbox"
            checked={kept.includes(kind)}
            onChange={({ target }) =>
              onChange(METADATA.filter((each) => (each === kind ? target.checked : kept.includes(each))))
            }
          />{" "}
          {words.metadata[kind]}
        </label>
      ))}
      <p className="note" id="metadata-explain">
        {words.metadata.explain}
      </p>
    </fieldset>
  );
}

type Ids = { id: string; "aria-describedby": string };

function Field(props: { label: string; value?: string; explain: string; children: (ids: Ids) => ReactNode }) {
  const id = useId();
  return (
    <div className="option">
      <div className="option-head">
        <label htmlFor={id}>{props.label}</label>
        {props.value !== undefined && <output htmlFor={id}>{props.value}</output>}
      </div>
      {props.children({ id, "aria-describedby": `${id}-explain` })}
      <p className="note" id={`${id}-explain`}>
        {props.explain}
      </p>
    </div>
  );
}

function Select<Value extends string>(props: {
  ids: Ids;
  value: Value;
  values: readonly Value[];
  name: (value: Value) => string;
  onChange: (value: Value) => void;
}) {
  return (
    <select {...props.ids} value={props.value} onChange={(event) => props.onChange(event.target.value as Value)}>
      {props.values.map((value) => (
        <option key={value} value={value}>
          {props.name(value)}
        </option>
      ))}
    </select>
  );
}

function Check(props: {
  words: { label: string; explain: string };
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div className="option">
      <label className="checkbox">
        <input
          type="checkbox"
          checked={props.checked}
          aria-describedby={id}
          onChange={(event) => props.onChange(event.target.checked)}
        />{" "}
        {props.words.label}
      </label>
      <p className="note" id={id}>
        {props.words.explain}
      </p>
    </div>
  );
}
