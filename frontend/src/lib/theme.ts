export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** theme.js also reads this entry, before the first paint. So it is a plain word and not JSON. */
const KEY = "faceblur.theme";

/** The current theme. theme.js has already applied the remembered one. */
export const readTheme = () => (document.documentElement.dataset["theme"] as Theme | undefined) ?? "system";

export function setTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Then the theme lasts until the page is closed.
  }
}
