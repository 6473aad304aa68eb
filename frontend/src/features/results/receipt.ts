/** What the page shows of a job's receipt: the boxes of the faces, in fractions of the upright photo. */
export type Receipt = { boxes: Box[] };

export type Box = {
  left: number;
  top: number;
  width: number;
  height: number;
  confidence: number;
  found_by: string;
  /** Whether the first detection found it, or a check of the draft. */
  found_in: "first" | "check";
  /** The check that found it, from 1; 0 for the first detection. */
  round: number;
};
