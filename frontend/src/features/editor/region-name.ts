import type { Region } from "../../jobs/decision";
import { texts } from "../../texts";

/** The name of a region: its kind, its number and its position in the photo. */
export function nameOf({ kind, place, known }: Region, number: number): string {
  const third = (middle: number) => (middle < 1 / 3 ? 0 : middle < 2 / 3 ? 1 : 2);
  const row = texts.editor.rows[third(place.top + place.height / 2)]!;
  const column = texts.editor.columns[third(place.left + place.width / 2)]!;
  const isByHand = !known || known.found_by === "person";
  return texts.editor.name(kind, isByHand, number, row, column);
}
