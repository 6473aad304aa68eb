import { useSyncExternalStore } from "react";

type Announcement = { id: number; text: string };

/** The most announcements kept at the same time. Several may come at once, and a screen reader must hear them all. */
const MAX_KEPT = 8;

let announcements: readonly Announcement[] = [];
const listeners = new Set<() => void>();

/** Says this to people who use a screen reader. */
export function announce(text: string): void {
  announcements = [...announcements, { id: (announcements.at(-1)?.id ?? 0) + 1, text }].slice(-MAX_KEPT);
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The live region from which screen readers read each announcement once. */
export function Announcer() {
  const latest = useSyncExternalStore(subscribe, () => announcements);
  return (
    <div className="is-sr-only" role="log" aria-live="polite">
      {latest.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
