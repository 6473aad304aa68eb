import type { ReactNode } from "react";

/** A message in a box: information, a warning or a failure. */
export function Notice({ kind, children }: { kind: "info" | "warning" | "danger"; children: ReactNode }) {
  return <div className={`notice is-${kind}`}>{children}</div>;
}
