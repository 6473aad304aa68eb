import type { Face } from "../../jobs/decision";
import type { Appearance } from "../../jobs/job";
import type { Place } from "../../lib/geometry";

/** What a person decides about a photo: its faces, and the style of those that have none of their own. */
export type Edited = { faces: readonly Face[]; style: Appearance };

/** The decision so far, with what can be undone and redone. */
export type Editing = Edited & {
  selected: string | undefined;
  past: readonly Edited[];
  future: readonly Edited[];
  /** What the last change was about. Further changes of the same kind, such as key presses, are undone together. */
  lastChange?: string | undefined;
};

export type Action =
  | { type: "select"; key: string | undefined }
  | { type: "toggle"; key: string }
  | { type: "setAll"; hidden: boolean }
  | { type: "hideOnly"; key: string }
  | { type: "draw"; key: string; place: Place }
  | { type: "place"; key: string; place: Place; repeats?: boolean }
  | { type: "remove"; key: string }
  | { type: "restyle"; key: string; appearance: Appearance | undefined }
  | { type: "restylePhoto"; style: Appearance }
  | { type: "undo" }
  | { type: "redo" };

/** The most changes that can be undone. */
const MAX_PAST = 200;

export const begin = ({ faces, style }: Edited): Editing => ({
  faces,
  style,
  selected: undefined,
  past: [],
  future: [],
});

export function edit(editing: Editing, action: Action): Editing {
  const { faces, style, past, future } = editing;
  switch (action.type) {
    case "select":
      return { ...editing, selected: action.key, lastChange: undefined };
    case "undo":
      return past.length === 0
        ? editing
        : travel(editing, past.at(-1)!, past.slice(0, -1), [{ faces, style }, ...future]);
    case "redo":
      return future.length === 0 ? editing : travel(editing, future[0]!, [...past, { faces, style }], future.slice(1));
    case "toggle":
      return change(
        { ...editing, selected: action.key },
        { faces: withFace(faces, action.key, (face) => ({ ...face, hidden: !face.hidden })) },
      );
    case "setAll":
      return change(editing, { faces: faces.map((face) => ({ ...face, hidden: action.hidden })) });
    case "hideOnly":
      return change(editing, { faces: faces.map((face) => ({ ...face, hidden: face.key === action.key })) });
    case "draw":
      return change(
        { ...editing, selected: action.key },
        { faces: [...faces, { key: action.key, place: action.place, hidden: true }] },
      );
    case "place": {
      const moved = withFace(faces, action.key, (face) => ({ ...face, place: action.place }));
      return change(editing, { faces: moved }, action.repeats ? `place ${action.key}` : undefined);
    }
    case "remove":
      return remove(editing, action.key);
    case "restyle": {
      const restyled = withFace(faces, action.key, (face) => ({ ...face, appearance: action.appearance }));
      return change(editing, { faces: restyled }, `restyle ${action.key}`);
    }
    case "restylePhoto":
      return change(editing, { style: action.style }, "restyle the photo");
  }
}

/** Removes a face that was just drawn. One that the server knows stays in the list, but visible in the photo. */
function remove(editing: Editing, key: string): Editing {
  const face = editing.faces.find((each) => each.key === key);
  if (!face) return editing;
  if (face.known)
    return change(editing, { faces: withFace(editing.faces, key, (found) => ({ ...found, hidden: false })) });
  return change({ ...editing, selected: undefined }, { faces: editing.faces.filter((each) => each.key !== key) });
}

function change(editing: Editing, next: Partial<Edited>, kind?: string): Editing {
  const { faces, style, past, lastChange } = editing;
  const continues = kind !== undefined && kind === lastChange;
  return {
    ...editing,
    ...next,
    past: continues ? past : [...past, { faces, style }].slice(-MAX_PAST),
    future: [],
    lastChange: kind,
  };
}

function travel(editing: Editing, to: Edited, past: readonly Edited[], future: readonly Edited[]): Editing {
  const selected = to.faces.some(({ key }) => key === editing.selected) ? editing.selected : undefined;
  return { ...editing, ...to, selected, past, future, lastChange: undefined };
}

const withFace = (faces: readonly Face[], key: string, update: (face: Face) => Face) =>
  faces.map((face) => (face.key === key ? update(face) : face));
