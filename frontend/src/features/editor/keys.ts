/** The action of a key in the editor. Arrow keys have a direction: −1, 0 or 1 across and down. */
export type Command =
  | { does: "go" | "move" | "resize"; across: number; down: number }
  | { does: "roll"; degrees: number }
  | { does: "toggle" | "remove" | "undo" | "redo" | "draw" | "zoomIn" | "zoomOut" | "whole" | "actualSize" };

type Key = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">;

const ARROWS: Record<string, { across: number; down: number }> = {
  ArrowLeft: { across: -1, down: 0 },
  ArrowRight: { across: 1, down: 0 },
  ArrowUp: { across: 0, down: -1 },
  ArrowDown: { across: 0, down: 1 },
};

const ROLL = 5; // degrees

export function commandOf({ key, ctrlKey, metaKey, shiftKey, altKey }: Key): Command | undefined {
  const letter = key.toLowerCase();
  if (ctrlKey || metaKey) {
    if (letter === "z") return { does: shiftKey ? "redo" : "undo" };
    return letter === "y" ? { does: "redo" } : undefined;
  }
  const direction = ARROWS[key];
  if (direction) return { does: altKey ? "resize" : shiftKey ? "move" : "go", ...direction };
  if (altKey) return undefined;
  switch (letter) {
    case " ":
      return { does: "toggle" };
    case "delete":
    case "backspace":
      return { does: "remove" };
    case "n":
      return { does: "draw" };
    case "r":
      return { does: "roll", degrees: shiftKey ? -ROLL : ROLL };
    case "+":
    case "=":
      return { does: "zoomIn" };
    case "-":
      return { does: "zoomOut" };
    case "0":
      return { does: "whole" };
    case "1":
      return { does: "actualSize" };
    default:
      return undefined;
  }
}
