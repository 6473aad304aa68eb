import type { Region } from "../../jobs/decision";
import type { Appearance, Kind } from "../../jobs/job";
import type { Place } from "../../lib/geometry";

/** A person's decision about a photo: its regions, and the style of regions without their own. */
export type Edited = { regions: readonly Region[]; style: Appearance };

/** The current decision, with the changes that can be undone and redone. */
export type Editing = Edited & {
  selected: string | undefined;
  /** The kind of the next box that the person draws. */
  drawAs: Kind;
  past: readonly Edited[];
  future: readonly Edited[];
  /** The subject of the last change. Successive changes with the same subject, such as key presses, are undone together. */
  lastChange?: string | undefined;
};

export type Action =
  | { type: "select"; key: string | undefined }
  | { type: "toggle"; key: string }
  /** Hides or shows all regions, or those of one kind. */
  | { type: "setAll"; hidden: boolean; kind?: Kind }
  | { type: "hideOnly"; key: string }
  | { type: "draw"; key: string; place: Place }
  | { type: "drawAs"; kind: Kind }
  | { type: "rekind"; key: string; kind: Kind }
  | { type: "place"; key: string; place: Place; repeats?: boolean }
  | { type: "remove"; key: string }
  | { type: "restyle"; key: string; appearance: Appearance | undefined }
  | { type: "restylePhoto"; style: Appearance }
  | { type: "undo" }
  | { type: "redo" };

/** The most changes that can be undone. */
const MAX_PAST = 200;

export const begin = ({ regions, style }: Edited, drawAs: Kind = "face"): Editing => ({
  regions,
  style,
  selected: undefined,
  drawAs,
  past: [],
  future: [],
});

export function edit(editing: Editing, action: Action): Editing {
  const { regions, style, past, future } = editing;
  switch (action.type) {
    case "select":
      return { ...editing, selected: action.key, lastChange: undefined };
    case "undo":
      return past.length === 0
        ? editing
        : travel(editing, past.at(-1)!, past.slice(0, -1), [{ regions, style }, ...future]);
    case "redo":
      return future.length === 0
        ? editing
        : travel(editing, future[0]!, [...past, { regions, style }], future.slice(1));
    case "toggle":
      return change(
        { ...editing, selected: action.key },
        { regions: withRegion(regions, action.key, (region) => ({ ...region, hidden: !region.hidden })) },
      );
    case "setAll": {
      const { hidden, kind } = action;
      const set = regions.map((region) => (kind && region.kind !== kind ? region : { ...region, hidden }));
      return change(editing, { regions: set });
    }
    case "hideOnly":
      return change(editing, { regions: regions.map((region) => ({ ...region, hidden: region.key === action.key })) });
    case "draw":
      return change(
        { ...editing, selected: action.key },
        { regions: [...regions, { key: action.key, kind: editing.drawAs, place: action.place, hidden: true }] },
      );
    case "drawAs":
      return { ...editing, drawAs: action.kind };
    case "rekind": {
      const renamed = withRegion(regions, action.key, (region) => ({ ...region, kind: action.kind }));
      return change({ ...editing, drawAs: action.kind }, { regions: renamed });
    }
    case "place": {
      const moved = withRegion(regions, action.key, (region) => ({ ...region, place: action.place }));
      return change(editing, { regions: moved }, action.repeats ? `place ${action.key}` : undefined);
    }
    case "remove":
      return remove(editing, action.key);
    case "restyle": {
      const restyled = withRegion(regions, action.key, (region) => ({ ...region, appearance: action.appearance }));
      return change(editing, { regions: restyled }, `restyle ${action.key}`);
    }
    case "restylePhoto":
      return change(editing, { style: action.style }, "restyle the photo");
  }
}

/** Removes a region that was just drawn. A region that the server has stays in the list, and is shown in the photo. */
function remove(editing: Editing, key: string): Editing {
  const region = editing.regions.find((each) => each.key === key);
  if (!region) return editing;
  if (region.known)
    return change(editing, { regions: withRegion(editing.regions, key, (found) => ({ ...found, hidden: false })) });
  return change({ ...editing, selected: undefined }, { regions: editing.regions.filter((each) => each.key !== key) });
}

function change(editing: Editing, next: Partial<Edited>, kind?: string): Editing {
  const { regions, style, past, lastChange } = editing;
  const continues = kind !== undefined && kind === lastChange;
  return {
    ...editing,
    ...next,
    past: continues ? past : [...past, { regions, style }].slice(-MAX_PAST),
    future: [],
    lastChange: kind,
  };
}

function travel(editing: Editing, to: Edited, past: readonly Edited[], future: readonly Edited[]): Editing {
  const selected = to.regions.some(({ key }) => key === editing.selected) ? editing.selected : undefined;
  return { ...editing, ...to, selected, past, future, lastChange: undefined };
}

const withRegion = (regions: readonly Region[], key: string, update: (region: Region) => Region) =>
  regions.map((region) => (region.key === key ? update(region) : region));
