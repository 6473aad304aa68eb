import { useSyncExternalStore } from "react";

type News = { id: number; text: string };

/** So many at once, that none of those which come together is lost. */
const LATEST = 8;

let news: readonly News[] = [];
const listeners = new Set<() => void>();

/** Tells those who listen to the page. */
export function announce(text: string): void {
  news = [...news, { id: (news.at(-1)?.id ?? 0) + 1, text }].slice(-LATEST);
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Where screen readers hear what is announced, each piece of news once. */
export function Announcer() {
  const latest = useSyncExternalStore(subscribe, () => news);
  return (
    <div className="is-sr-only" role="log" aria-live="polite">
      {latest.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
