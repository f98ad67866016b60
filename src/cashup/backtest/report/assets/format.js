// How numbers, money, times and durations are written in the chosen language.

const DASH = "–";
const MINUS = "\u2212";
const view = { report: null, bars: null, lang: "en" };

function t(key, values) {
  const words = view.report.text[view.lang];
  const text = words[key] === undefined ? key : words[key];
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole)) : text;
}

// A name that comes with the data (a reason, a status): translated when known, shown as it is otherwise.
function named(prefix, name) {
  const words = view.report.text[view.lang];
  const text = words[`${prefix}.${name}`];
  return text === undefined ? String(name).replace(/_/g, " ") : text;
}

const formatters = new Map();

function formatter(low, high, notation) {
  const key = `${view.lang}|${low}|${high}|${notation}`;
  if (!formatters.has(key)) {
    const locale = view.lang === "zh" ? "zh-CN" : "en-US";
    const options = { minimumFractionDigits: low, maximumFractionDigits: high, notation: notation || "standard" };
    formatters.set(key, new Intl.NumberFormat(locale, options));
  }
  return formatters.get(key);
}

const isNumber = (x) => typeof x === "number" && Number.isFinite(x);

function fixed(x, low, high = low) {
  return isNumber(x) ? minus(formatter(low, high).format(x)) : DASH;
}

// A true minus sign, and none before a zero.
function minus(text) {
  return /^-[0.,]*$/.test(text) ? text.slice(1) : text.replace("-", MINUS);
}

function withSign(text, x) {
  return isNumber(x) && x > 0 && !/^[0.,%\s]*$/.test(text) ? `+${text}` : text;
}

function percent(x, digits = 2) {
  if (!isNumber(x)) {
    return DASH;
  }
  const scaled = x * 100;
  if (Math.abs(scaled) >= 1e6) {
    return `${minus(formatter(0, 1, "compact").format(scaled))}%`;
  }
  return `${fixed(scaled, Math.abs(scaled) >= 1000 ? 0 : digits)}%`;
}

const signedPercent = (x, digits) => withSign(percent(x, digits), x);

function money(x) {
  const size = Math.abs(x);
  return fixed(x, 2, size > 0 && size < 1 ? 6 : 2);
}

const signedMoney = (x) => withSign(money(x), x);

function compact(x) {
  return isNumber(x) ? minus(formatter(0, Math.abs(x) < 1 ? 4 : 2, "compact").format(x)) : DASH;
}

function price(x) {
  const places = view.bars ? view.bars.places : 2;
  return fixed(x, Math.min(places, 2), Math.max(places, 2));
}

function quantity(x) {
  return fixed(x, 0, 8);
}

function ratio(x) {
  return fixed(x, 2);
}

const two = (x) => String(x).padStart(2, "0");

function date(ms) {
  if (!isNumber(ms)) {
    return DASH;
  }
  const d = new Date(ms);
  return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
}

function time(ms) {
  if (!isNumber(ms)) {
    return DASH;
  }
  const d = new Date(ms);
  const seconds = d.getUTCSeconds() ? `:${two(d.getUTCSeconds())}` : "";
  return `${date(ms)} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}${seconds}`;
}

// The two largest units: "3 d 4 h".
function duration(ms) {
  if (!isNumber(ms)) {
    return DASH;
  }
  const units = [["d", 86400e3], ["h", 3600e3], ["m", 60e3], ["s", 1e3]];
  let rest = Math.abs(ms);
  const parts = [];
  for (const [name, size] of units) {
    const count = name === "s" && parts.length === 0 ? Math.round(rest / size) : Math.floor(rest / size);
    rest -= count * size;
    if (count || (parts.length && parts.length < 2)) {
      parts.push([count, name]);
    }
    if (parts.length === 2) {
      break;
    }
  }
  const written = parts.filter(([count]) => count).map(([count, name]) => `${fixed(count, 0)}${t(`unit.${name}`)}`);
  return written.length ? written.join(" ") : `0${t("unit.m")}`;
}

// A figure of the statistics table in its unit.
function figure(value, unit) {
  if (value === null || value === undefined) {
    return DASH;
  }
  const writers = {
    fraction: (x) => percent(x),
    ratio,
    number: (x) => fixed(x, Math.abs(x) < 1 ? 4 : 2),
    money,
    count: (x) => fixed(x, 0),
    duration: (x) => duration(x / 1e6),
    time: (x) => time(x / 1e6),
    text: String,
  };
  return typeof value === "string" ? value : (writers[unit] || writers.number)(value);
}

const tone = (x) => (!isNumber(x) || x === 0 ? "" : x > 0 ? "gain" : "loss");
