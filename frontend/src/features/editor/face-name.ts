import type { Face } from "../../jobs/decision";
import { texts } from "../../texts";

/** What a face is called: its number and where in the photo it is. */
export function nameOf({ place, known }: Face, number: number): string {
  const third = (middle: number) => (middle < 1 / 3 ? 0 : middle < 2 / 3 ? 1 : 2);
  const row = texts.editor.rows[third(place.top + place.height / 2)]!;
  const column = texts.editor.columns[third(place.left + place.width / 2)]!;
  const isByHand = !known || known.found_by === "person";
  return (isByHand ? texts.editor.box : texts.editor.face)(number, row, column);
}
