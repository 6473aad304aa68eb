/** What the page shows of a job's receipt: the faces, in fractions of the upright photo. */
export type Receipt = { faces: Face[] };

export type Face = {
  left: number;
  top: number;
  width: number;
  height: number;
  confidence: number;
  found_by: string;
  /** Whether the first look found it, or a check of the result. */
  look: "first" | "check";
  /** The check that found it, from 1; 0 for the first look. */
  round: number;
};
