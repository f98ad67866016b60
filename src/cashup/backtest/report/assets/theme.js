// Language, theme and colours: chosen by the reader, kept in the browser, otherwise as the system is set.

const settings = { lang: "en", theme: "auto", colors: "green" };

function loadSettings() {
  settings.lang = (navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en";
  try {
    const kept = JSON.parse(localStorage.getItem("cashup-report") || "{}");
    const allowed = { lang: ["en", "zh"], theme: ["auto", "light", "dark"], colors: ["green", "red", "safe"] };
    for (const [key, values] of Object.entries(allowed)) {
      if (values.includes(kept[key])) {
        settings[key] = kept[key];
      }
    }
  } catch {
    // A browser that keeps nothing for files shows the defaults.
  }
  applySettings();
}

function setSetting(key, value) {
  settings[key] = value;
  try {
    localStorage.setItem("cashup-report", JSON.stringify(settings));
  } catch {
    // Same: the choice lasts as long as the page.
  }
  applySettings();
}

function applySettings() {
  const root = document.documentElement;
  view.lang = settings.lang;
  root.lang = settings.lang === "zh" ? "zh-CN" : "en";
  root.dataset.theme = settings.theme;
  root.dataset.colors = settings.colors;
}

// The colours of the style sheet, for charts.
function colors() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    up: of("up"), down: of("down"), gain: of("gain"), loss: of("loss"), accent: of("accent"), second: of("second"),
    text: of("text"), muted: of("muted"), line: of("line"), faint: of("faint"), surface: of("surface"), raised: of("raised"),
    font: getComputedStyle(document.body).fontFamily,
  };
}

// A colour with an alpha, from the style sheet's #rrggbb.
function fade(hex, alpha) {
  const value = parseInt(hex.slice(1), 16);
  return `rgba(${value >> 16}, ${(value >> 8) & 255}, ${value & 255}, ${alpha})`;
}
