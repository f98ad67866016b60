// Puts the page together and starts it.

const SECTIONS = ["overview", "price", "returns", "trading", "costs", "statistics", "trades", "orders", "setup"];

function section(name, ...children) {
  const kept = children.flat().filter(Boolean);
  return h(`section.block.${name}`, { id: `s-${name}`, "aria-label": t(`nav.${name}`) }, kept);
}

function topBar() {
  const links = SECTIONS.map((name) => h("a", { href: `#s-${name}` }, t(`nav.${name}`)));
  const languages = segments(t("language"), [["en", "EN", "English"], ["zh", "中文", "简体中文"]], settings.lang, (value) => {
    setSetting("lang", value);
    rebuild();
  });
  languages.classList.add("language");
  const choice = (key, values) =>
    h(
      "fieldset",
      null,
      h("legend", null, t(`settings.${key}`)),
      segments(t(`settings.${key}`), values.map((value) => [value, t(`${key}.${value}`)]), settings[key], (value) => {
        setSetting(key, value);
        redrawCharts();
      }),
    );
  const menu = h(
    "details.menu",
    { "data-menu": "display" },
    h("summary", { "aria-label": t("display") }, icon(), h("span", null, t("display"))),
    h("div.menu-body", null, choice("theme", ["auto", "light", "dark"]), choice("colors", ["green", "red", "safe"])),
  );
  return h("div.topbar", null, h("div.topbar-inner", null, h("a.mark", { href: "#s-overview" }, logo(), "CashUp"), h("nav", { "aria-label": t("sections") }, links), h("div.controls", null, languages, menu)));
}

function drawing(size, paths) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("aria-hidden", "true");
  for (const path of paths) {
    const node = document.createElementNS(space, "path");
    node.setAttribute("d", path);
    svg.append(node);
  }
  return svg;
}

const logo = () => drawing(24, ["M3 17l5.5-6 4 3.5L21 6", "M15.5 6H21v5.5"]);
const icon = () => drawing(24, ["M12 3a9 9 0 1 0 0 18V3z", "M12 3a9 9 0 0 1 0 18"]);

function header() {
  const { report } = view;
  const chip = (text, kind) => h(`span.chip${kind ? `.${kind}` : ""}`, null, text);
  const span = `${date(report.start)} → ${date(report.end)}`;
  return h(
    "header.hero",
    null,
    h("p.kicker", null, t("backtest_report")),
    h("h1", null, report.strategy),
    report.description ? h("p.lead", null, report.description) : null,
    h(
      "div.chips",
      null,
      report.instruments.map((name) => chip(name, "strong")),
      chip(report.timeframe),
      chip(span),
      chip(t("bars_count", { n: fixed(report.bars, 0) })),
      chip(duration(report.end - report.start)),
      chip(named("mode", report.mode)),
    ),
  );
}

function build() {
  const { report } = view;
  document.title = `${report.strategy} · ${report.instruments.join(", ")} · CashUp`;
  const root = document.getElementById("report");
  root.replaceChildren(
    topBar(),
    h(
      "main",
      null,
      section("overview", header(), warnings(), headline(), equityPanel(), h("div.columns", null, drawdownPanel(), exposurePanel())),
      section("price", pricePanel()),
      section("returns", h("div.columns.uneven", null, monthPanel(), yearPanel()), h("div.columns", null, rollingPanels())),
      section("trading", h("div.columns.three", null, tradePanels())),
      section("costs", h("div.columns", null, costPanels())),
      section("statistics", statisticsPanel()),
      section("trades", tradesPanel()),
      section("orders", ordersPanel()),
      section("setup", h("div.columns.three", null, setupPanels())),
    ),
    h("footer", null, h("p", null, t("footer", { version: report.version })), h("p", null, t("disclaimer"))),
  );
  watchSections();
}

function rebuild() {
  const top = window.scrollY;
  dropCharts();
  build();
  window.scrollTo({ top, behavior: "instant" });
}

// Marks the section in view in the navigation.
let watcher = null;

function watchSections() {
  if (watcher) {
    watcher.disconnect();
  }
  const links = new Map([...document.querySelectorAll(".topbar nav a")].map((link) => [link.hash.slice(1), link]));
  watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) {
          links.forEach((link) => link.removeAttribute("aria-current"));
          links.get(entry.target.id).setAttribute("aria-current", "true");
        }
      }
    },
    { rootMargin: "-20% 0px -70% 0px" },
  );
  document.querySelectorAll(".block").forEach((block) => watcher.observe(block));
}

// A printed page is light, and its charts are pictures: a canvas does not follow the width of the paper.
function watchPrinting() {
  let before = null;
  window.addEventListener("beforeprint", () => {
    before = settings.theme;
    document.querySelectorAll(".paper").forEach((picture) => picture.remove());
    document.documentElement.dataset.theme = "light";
    document.querySelectorAll(".chart").forEach((box) => box.start());
    redrawCharts();
    charts.forEach((box) => box.after(h("img.paper", { alt: box.getAttribute("aria-label"), src: box.chart.getDataURL({ pixelRatio: 2 }) })));
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.dataset.theme = before;
    document.querySelectorAll(".paper").forEach((picture) => picture.remove());
    redrawCharts();
  });
}

async function start() {
  loadSettings();
  if (typeof DecompressionStream === "undefined") {
    document.getElementById("report").textContent = "This browser is too old to open the report. 此浏览器版本过旧，无法打开报告。";
    return;
  }
  const [report, block] = await Promise.all([unpack("document"), unpack("prices")]);
  view.report = report;
  view.bars = block.n ? readBars(block) : { n: 0, fold: 1, places: 2, ts: [] };
  build();
  watchTips();
  watchPrinting();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);
  // A sheet of paper is narrow too, and no reason to build the page anew.
  matchMedia("(max-width: 860px)").addEventListener("change", () => document.querySelector(".paper") || rebuild());
  document.addEventListener("click", (event) => {
    const menu = document.querySelector(".menu[open]");
    if (menu && !menu.contains(event.target)) {
      menu.open = false;
    }
  });
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  document.getElementById("report").textContent = `The report could not be drawn: ${error.message}`;
  throw error;
});
