import { Monitor, Moon, Sun } from "lucide-react";
import { useState } from "react";
import { readTheme, setTheme, THEMES, type Theme } from "../lib/theme";
import { texts } from "../texts";

const ICONS = { system: Monitor, light: Sun, dark: Moon };

/** The choice between light, dark and the system's theme. */
export function ThemeChoice() {
  const [chosen, setChosen] = useState(readTheme);
  function choose(theme: Theme) {
    setTheme(theme);
    setChosen(theme);
  }
  return (
    <fieldset className="themes">
      <legend className="is-sr-only">{texts.theme.label}</legend>
      {THEMES.map((theme) => {
        const Icon = ICONS[theme];
        return (
          <label key={theme} title={texts.theme[theme]}>
            <input type="radio" name="theme" checked={chosen === theme} onChange={() => choose(theme)} />
            <Icon aria-hidden="true" />
            <span className="is-sr-only">{texts.theme[theme]}</span>
          </label>
        );
      })}
    </fieldset>
  );
}
