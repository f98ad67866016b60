import { create } from "zustand";

export type Theme = "light" | "dark" | "system";
export type CandleColours = "green-up" | "red-up";
export type Locale = "en" | "zh-CN";

export interface Preferences {
  theme: Theme;
  candles: CandleColours;
  locale: Locale;
}

const KEY = "cashup.preferences";

function stored(): Partial<Preferences> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>;
  } catch {
    return {};
  }
}

function initial(): Preferences {
  const chinese = navigator.language.toLowerCase().startsWith("zh");
  return { theme: "system", candles: chinese ? "red-up" : "green-up", locale: chinese ? "zh-CN" : "en", ...stored() };
}

interface Store extends Preferences {
  change: (changes: Partial<Preferences>) => void;
}

export const usePreferences = create<Store>((set, get) => ({
  ...initial(),
  change: (changes) => {
    set(changes);
    const { theme, candles, locale } = get();
    localStorage.setItem(KEY, JSON.stringify({ theme, candles, locale }));
  },
}));

/** Say whether the dark theme is shown now. */
export function isDark(theme: Theme): boolean {
  return theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
}

/** Colours of rising and falling prices. */
export function priceColours(candles: CandleColours): { up: string; down: string } {
  const green = "#16a37b";
  const red = "#e0455a";
  return candles === "green-up" ? { up: green, down: red } : { up: red, down: green };
}
