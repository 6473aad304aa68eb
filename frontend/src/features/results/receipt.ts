/** What the page shows of a job's receipt: the faces, in fractions of the upright photo. */
export type Receipt = { faces: Face[] };

export type Face = {
  left: number;
  top: number;
  width: number;
  height: number;
  confidence: number;
  found_by: string;
  look: "first" | "second";
};
