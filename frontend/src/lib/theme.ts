export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** Also read by theme.js, before the first paint; hence a plain word and no JSON. */
const KEY = "faceblur.theme";

/** How the page looks now; theme.js has set what was remembered. */
export const readTheme = () => (document.documentElement.dataset["theme"] as Theme | undefined) ?? "system";

export function setTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Then it lasts as long as the page.
  }
}
