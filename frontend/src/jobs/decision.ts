import { headFrame, placeOf, type Place, type Size } from "../lib/geometry";
import type { Appearance, Box, Decision, Kind } from "./job";

/** A face, a number plate or a text in a photo, as a person sees and changes it. */
export type Region = {
  /** Identifies the region among those of its photo. */
  key: string;
  kind: Kind;
  /** The box that the server has. Missing if the person has just drawn the region. */
  known?: Box;
  place: Place;
  hidden: boolean;
  /** Its own style. Without it, the region has the style of the photo. */
  appearance?: Appearance | undefined;
};

type ToHide = NonNullable<Decision["hide"]>[number];
type ToKeep = NonNullable<Decision["keep"]>[number];

export function regionsOf(boxes: readonly Box[]): Region[] {
  return boxes.map((box) => {
    const { left, top, width, height, roll, turned } = box;
    return {
      key: `known-${box.id}`,
      kind: box.kind,
      known: box,
      place: { left, top, width, height, roll, turned },
      hidden: box.hidden,
      appearance: ownStyle(box),
    };
  });
}

/**
 * A person's changes, for a job whose boxes have ids. `style` is the style of the photo. A region that loses its own style
 * gets this one.
 */
export function changesOf(regions: readonly Region[], style: Appearance): Decision {
  const shown = regions.filter(({ hidden, known }) => !hidden && (known?.hidden ?? true));
  const keep = shown.map((region): ToKeep => (region.known ? { id: region.known.id } : placeToKeep(region)));
  const hide = regions.filter((region) => region.hidden && isChanged(region)).map((region) => toHide(region, style));
  return decision(keep, hide);
}

/** Everything that a person decided, for a new job of the same photo. Such a job has no boxes yet. */
export function decisionByPlace(regions: readonly Region[]): Decision {
  const keep = regions.filter(({ hidden }) => !hidden).map(placeToKeep);
  // A detector's own box is sent unchanged, without its roll. So the server recognises it, and knows the head's rotation.
  const hide = regions
    .filter(({ hidden }) => hidden)
    .map(({ place, kind, appearance }): ToHide => ({ ...rectangle(place), kind, ...(appearance ?? {}) }));
  return decision(keep, hide);
}

/** The place as a rectangle that a person can move and turn. */
export function turned(place: Place, size: Size): Place {
  if (place.turned) return place;
  const upright = placeOf(headFrame(place, size), size);
  const fits =
    upright.left >= 0 && upright.top >= 0 && upright.left + upright.width <= 1 && upright.top + upright.height <= 1;
  // The photo's edge crops such a head. Then the upright box is larger, and so safer.
  return fits ? upright : { ...place, roll: 0, turned: true };
}

function decision(keep: ToKeep[], hide: ToHide[]): Decision {
  return { ...(keep.length > 0 && { keep }), ...(hide.length > 0 && { hide }) };
}

function toHide(region: Region, style: Appearance): ToHide {
  const appearance = region.appearance ?? (region.known && ownStyle(region.known) && style);
  return {
    ...(region.known ? { id: region.known.id } : { kind: region.kind }),
    ...(isMoved(region) && rectangle(region.place)),
    ...(isRestyled(region) && appearance),
  };
}

const isChanged = (region: Region) => !region.known?.hidden || isMoved(region) || isRestyled(region);
const isRestyled = ({ appearance, known }: Region) => !sameValues(appearance, known && ownStyle(known));

function isMoved({ place, known }: Region): boolean {
  return !known || (Object.keys(place) as (keyof Place)[]).some((name) => place[name] !== known[name]);
}

function sameValues(one: Appearance | undefined, other: Appearance | undefined): boolean {
  if (!one || !other) return one === other;
  return (Object.keys(one) as (keyof Appearance)[]).every((name) => one[name] === other[name]);
}

/** The style of a box, if it differs from that of the photo. The API gives all its fields. */
const ownStyle = ({ hidden_with }: Box) => hidden_with as Appearance | undefined;

/** A place in the form of the API. */
const rectangle = ({ left, top, width, height, roll, turned }: Place) => ({
  ...{ left: rounded(left), top: rounded(top), width: rounded(width), height: rounded(height) },
  ...(turned && roll !== 0 && { roll: rounded(roll) }),
});

/** The place of a region, with its kind. Only this kind stays visible there. */
const placeToKeep = ({ place, kind }: Region): ToKeep => ({ ...rectangle(place), kind });

const rounded = (value: number) => Math.round(value * 100_000) / 100_000;
