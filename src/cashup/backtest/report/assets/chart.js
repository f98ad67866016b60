// One way to make a chart: drawn when it comes near the screen, resized with its box, redrawn on a change of theme.

const charts = new Set();
const nearby = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => entry.target.start()),
  { rootMargin: "600px" },
);
const sizes = new ResizeObserver((entries) => entries.forEach((entry) => entry.target.fit()));

// `build(chart, colors)` sets the options; it runs again whenever language, theme or colours change.
function chartBox(name, label, build) {
  const box = h("div.chart", { "data-chart": name, role: "img", "aria-label": label });
  box.start = () => {
    nearby.unobserve(box);
    if (box.chart) {
      return;
    }
    box.chart = echarts.init(box, null, { renderer: "canvas" });
    charts.add(box);
    sizes.observe(box);
    box.redraw();
  };
  box.redraw = () => {
    if (box.chart) {
      box.chart.clear();
      build(box.chart, colors(), box);
      box.dataset.drawn = "yes";
    }
  };
  box.fit = () => {
    if (box.chart && box.clientWidth) {
      box.chart.resize();
      if (box.afterResize) {
        box.afterResize();
      }
    }
  };
  nearby.observe(box);
  return box;
}

function dropCharts() {
  for (const box of charts) {
    sizes.unobserve(box);
    box.chart.dispose();
  }
  charts.clear();
  nearby.disconnect();
}

function redrawCharts() {
  charts.forEach((box) => box.redraw());
}

const isNarrow = () => document.documentElement.clientWidth <= 860;

// What all charts share.
function baseOption(c) {
  return {
    animation: false,
    useUTC: true,
    textStyle: { fontFamily: c.font, fontSize: 12, color: c.muted },
    tooltip: {
      confine: true,
      backgroundColor: c.raised,
      borderColor: c.line,
      borderWidth: 1,
      padding: [8, 10],
      textStyle: { color: c.text, fontSize: 12, fontFamily: c.font },
      extraCssText: "box-shadow:0 6px 24px rgba(0,0,0,.16);border-radius:8px;font-variant-numeric:tabular-nums;z-index:30",
    },
  };
}

function valueAxis(c, extra) {
  return {
    type: "value",
    scale: true,
    position: "right",
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: c.muted, fontSize: 11 },
    splitLine: { lineStyle: { color: c.faint } },
    splitNumber: 4,
    ...extra,
  };
}

function categoryAxis(c, data, extra) {
  return {
    type: "category",
    data,
    axisLine: { lineStyle: { color: c.line } },
    axisTick: { show: false },
    axisLabel: { color: c.muted, fontSize: 11, hideOverlap: true },
    ...extra,
  };
}

// Tooltip content as elements: rows of [colour | null, name, value].
function tipRows(title, rows) {
  return h(
    "div.chart-tip",
    null,
    h("div.chart-tip-title", null, title),
    rows.map(([color, name, value]) =>
      h("div.chart-tip-row", null, h("i", { style: color ? { background: color } : {} }), h("span", null, name), h("b", null, value)),
    ),
  );
}

// A key under a heading: [colour, text, style].
function legend(items) {
  return h(
    "div.legend",
    null,
    items.map(([variable, text, kind]) => h("span", null, h(`i.${kind || "line"}`, { style: { "--c": `var(--${variable})` } }), text)),
  );
}

function empty(text) {
  return h("p.empty", null, text);
}
