import type { ReactNode } from "react";

/** A boxed message: a warning, a failure or a piece of news. */
export function Notice({ kind, children }: { kind: "info" | "warning" | "danger"; children: ReactNode }) {
  return <div className={`notice is-${kind}`}>{children}</div>;
}
