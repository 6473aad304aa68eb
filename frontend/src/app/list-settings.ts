import { useState } from "react";
import { cleanSuffix, DEFAULT_SUFFIX } from "../features/results/file-name";
import { local, readStored, store } from "../lib/stored";

export const VIEWS = ["list", "grid"] as const;

/** The settings of the list: the view, and the suffix of the names of downloads. */
export type ListSettings = { view: (typeof VIEWS)[number]; suffix: string };

const KEY = "faceblur.list";

/** The settings that this browser remembers, and a function that changes them. */
export function useListSettings(): [ListSettings, (change: Partial<ListSettings>) => void] {
  const [settings, setSettings] = useState(readSettings);
  function change(changed: Partial<ListSettings>) {
    const next = { ...settings, ...changed };
    setSettings(next);
    store(local, KEY, next);
  }
  return [settings, change];
}

function readSettings(): ListSettings {
  const { view, suffix } = (readStored(local, KEY) ?? {}) as Record<string, unknown>;
  return {
    view: VIEWS.find((known) => known === view) ?? "list",
    suffix: typeof suffix === "string" ? cleanSuffix(suffix) : DEFAULT_SUFFIX,
  };
}
