// The window of the price chart: zooming, panning, the readout, and going to a trade.

function priceOption(bars, c) {
  const narrow = isNarrow();
  const right = narrow ? 56 : 72;
  const pointer = (extra) => ({ show: true, snap: false, triggerTooltip: false, lineStyle: { color: c.muted, type: "dashed" }, ...extra });
  const across = (grid, show) => ({
    type: "value",
    gridIndex: grid,
    min: -0.5,
    max: bars.n - 0.5,
    axisLine: { show, lineStyle: { color: c.line } },
    axisTick: { show: false },
    axisLabel: { show, color: c.muted, fontSize: 11, hideOverlap: true },
    splitLine: { show: false },
    axisPointer: pointer({ label: { show: show, formatter: ({ value }) => time(bars.ts[clampBar(value)]), backgroundColor: c.text, color: c.surface } }),
  });
  const heights = narrow ? [230, 44] : [340, 64];
  const stripTop = 10 + heights[0] + heights[1] + 44;
  const zooms = [0, 1];
  return {
    ...baseOption(c),
    tooltip: { ...baseOption(c).tooltip, trigger: "item", formatter: (item) => tradeTip(item, c) },
    axisPointer: { link: [{ xAxisIndex: [0, 1] }] },
    grid: [
      { left: 8, right, top: 10, height: heights[0] },
      { left: 8, right, top: 10 + heights[0] + 6, height: heights[1] },
      { left: 8, right, top: stripTop, height: 34 },
    ],
    xAxis: [across(0, false), across(1, true), { type: "value", gridIndex: 2, min: -0.5, max: bars.n - 0.5, show: false, axisPointer: { show: false } }],
    yAxis: [
      valueAxis(c, { axisLabel: { color: c.muted, fontSize: 11, formatter: axisPrice, showMinLabel: false, showMaxLabel: false }, axisPointer: pointer({ label: { formatter: ({ value }) => price(value), backgroundColor: c.text, color: c.surface } }), splitNumber: 6 }),
      valueAxis(c, { gridIndex: 1, scale: false, splitNumber: 2, splitLine: { show: false }, axisLabel: { show: false }, axisPointer: { show: false } }),
      { type: "value", gridIndex: 2, show: false, scale: true, axisPointer: { show: false } },
    ],
    dataZoom: [
      { id: "pan", type: "inside", xAxisIndex: zooms, filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: true, moveOnMouseWheel: false, preventDefaultMouseMove: false, minValueSpan: Math.min(20, bars.n) },
      {
        id: "strip", type: "slider", xAxisIndex: zooms, filterMode: "none", left: 8, right, top: stripTop, height: 34,
        showDataShadow: false, brushSelect: false, showDetail: false, backgroundColor: "transparent", borderColor: c.line,
        fillerColor: fade(c.accent, 0.12), handleSize: "90%", handleStyle: { color: c.surface, borderColor: c.accent }, moveHandleSize: 0,
        minValueSpan: Math.min(20, bars.n),
      },
    ],
    series: [
      { id: "candles", type: "custom", renderItem: drawCandle, data: [], encode: { x: 0, y: [1, 2] }, clip: true, silent: true, z: 2 },
      { id: "volume", type: "custom", renderItem: drawVolume, data: [], xAxisIndex: 1, yAxisIndex: 1, encode: { x: 0, y: 1 }, clip: true, silent: true },
      { id: "held", type: "custom", renderItem: drawStrip, data: [], encode: { x: [0, 1], y: [] }, silent: true, z: 1 },
      { id: "trades", type: "custom", renderItem: drawTrade, data: [], encode: { x: [0, 1], y: [2, 3] }, clip: true, z: 5 },
      { id: "whole", type: "line", xAxisIndex: 2, yAxisIndex: 2, data: overview(bars), showSymbol: false, silent: true, lineStyle: { color: c.muted, width: 1 }, areaStyle: { color: fade(c.muted, 0.12), origin: "start" }, z: 1 },
    ],
  };
}

const clampBar = (x) => Math.max(0, Math.min(view.bars.n - 1, Math.round(x)));

function axisPrice(x) {
  return Math.abs(x) >= 1e5 ? compact(x) : fixed(x, 0, Math.min(view.bars.places, Math.abs(x) >= 1000 ? 0 : Math.abs(x) >= 1 ? 3 : 8));
}

function overview(bars) {
  const step = Math.max(1, Math.ceil(bars.n / 1000));
  const points = [];
  for (let k = 0; k < bars.n; k += step) {
    points.push([k, bars.close[k]]);
  }
  return points;
}

function tradeTip({ dataIndex }, c) {
  const trade = priceState.shown[dataIndex];
  if (!trade) {
    return null;
  }
  const { columns, first } = view.report.trades;
  const row = trade.row;
  const color = trade.won ? c.gain : c.loss;
  return tipRows(`${t("trade_number", { n: first + row + 1 })} · ${t(trade.side > 0 ? "long" : "short")}`, [
    [null, t("column.entry"), `${time(columns.entry_ts[row])} · ${price(trade.entry)}`],
    [null, t(trade.open ? "still_open" : "column.exit"), `${time(columns.exit_ts[row])} · ${price(trade.exit)}`],
    [null, t("column.quantity"), columns.quantity ? quantity(columns.quantity[row]) : DASH],
    [color, t("column.pnl"), columns.pnl ? signedMoney(columns.pnl[row]) : DASH],
    [null, t("column.return"), columns.return ? signedPercent(columns.return[row]) : DASH],
  ]);
}

// Fills the window with candles and trades.
function fillWindow(chart, bars, placed, parts) {
  const from = Math.max(0, Math.floor(priceState.from));
  const to = Math.min(bars.n, Math.ceil(priceState.to) + 1);
  const width = Math.max(200, chart.getWidth() - (isNarrow() ? 64 : 80));
  const step = candleMs(bars, to - from, width / 4);
  const candles = foldCandles(bars, from, to, step);
  const visible = placed.filter((trade) => trade.to >= from - 1 && trade.from <= to);
  const few = visible.length <= width / 5;
  priceState.candles = candles;
  priceState.shown = few ? visible : visible.filter((trade) => trade.row === priceState.selected);
  let low = Infinity;
  let high = -Infinity;
  let volume = 0;
  for (const candle of candles) {
    low = Math.min(low, candle.low);
    high = Math.max(high, candle.high);
    volume = Math.max(volume, candle.volume);
  }
  const room = (high - low || Math.abs(high) * 0.01 || 1) * 0.06;
  const times = roundTimes(bars.ts[from], bars.ts[to - 1], Math.max(3, Math.floor(width / 90)));
  const labels = new Map(times.map(([ts, text]) => [lowerBound(bars.ts, ts), text]));
  const ticks = { customValues: [...labels.keys()], formatter: (x) => labels.get(x) || "" };
  chart.setOption({
    xAxis: [{}, { axisLabel: ticks }, {}],
    yAxis: [{ min: low - room, max: high + room }, { max: volume || 1 }, {}],
    series: [
      { id: "candles", data: candles.map((candle) => [candle.x, candle.low, candle.high]) },
      { id: "volume", data: candles.map((candle) => [candle.x, candle.volume]) },
      { id: "held", data: ribbon(visible, from, to, width) },
      { id: "trades", data: priceState.shown.map((trade) => [trade.from, trade.to, trade.entry, trade.exit]) },
    ],
  });
  parts.scale.textContent = t("candle_size", { size: duration(step) });
  parts.hint.textContent = few ? t("zoom_hint") : t("too_many_trades", { n: fixed(visible.length, 0) });
  const under = parts.pointer === undefined ? null : candleAt(chart.convertFromPixel({ xAxisIndex: 0 }, parts.pointer));
  readout(parts, under || candles[candles.length - 1]);
}

function readout(parts, candle) {
  if (!candle) {
    return;
  }
  const change = candle.close / candle.open - 1;
  const item = (name, value) => h("span", null, name, h(`b.${change >= 0 ? "up" : "down"}`, null, value));
  parts.readout.replaceChildren(
    h("time", null, time(candle.ts)),
    item("O", price(candle.open)),
    item("H", price(candle.high)),
    item("L", price(candle.low)),
    item("C", price(candle.close)),
    item("", signedPercent(change)),
    item("V", compact(candle.volume)),
  );
}

function candleAt(x) {
  return priceState.candles.find((candle) => x >= candle.first - 0.5 && x < candle.last + 0.5);
}

// The window at the start: everything while trades can be told apart, else the latest of them.
function firstWindow(bars, placed) {
  const width = document.documentElement.clientWidth;
  const many = Math.max(12, Math.round(Math.min(width, 1300) / 22));
  if (placed.length <= 2 * many) {
    return [0, bars.n - 1];
  }
  const trade = placed[placed.length - many];
  return [Math.max(0, trade.from - 5), bars.n - 1];
}

function pricePanel() {
  const bars = view.bars;
  if (!bars.n) {
    return panel(t("price"), { wide: true }, empty(t("no_bars")));
  }
  const placed = placeTrades(bars);
  const parts = { readout: h("div.readout"), scale: h("span"), hint: h("span") };
  if (priceState.from === null) {
    [priceState.from, priceState.to] = firstWindow(bars, placed);
  }
  const box = chartBox("price", t("price_label"), (chart, c) => startPrice(chart, c, box, bars, placed, parts));
  box.classList.add("price");
  view.showTrade = (row) => showTrade(box, bars, placed, row);
  const ranges = [[1, "1D"], [7, "1W"], [30, "1M"], [91, "3M"], [365, "1Y"], [0, t("all")]].filter(([days]) => days * 86400e3 < view.report.end - view.report.start);
  const buttons = h("div.segments", { role: "group", "aria-label": t("range") }, ranges.map(([days, text]) => h("button", { type: "button", onclick: () => showRange(box, bars, days) }, text)));
  const zoom = h(
    "div.segments",
    { role: "group", "aria-label": t("zoom") },
    h("button", { type: "button", "aria-label": t("zoom_in"), onclick: () => zoomBy(box, bars, 0.5) }, "+"),
    h("button", { type: "button", "aria-label": t("zoom_out"), onclick: () => zoomBy(box, bars, 2) }, MINUS),
  );
  const key = h("div.legend", null, h("span", null, h("i.buy"), t("entry_long")), h("span", null, h("i.sell"), t("entry_short")), h("span", null, h("i.ring"), t("exit")));
  const foot = h("p.chart-foot", null, parts.scale, h("span.dot", null, "·"), parts.hint);
  return panel(t("price"), { name: "price", wide: true, tools: [key, buttons, zoom] }, parts.readout, box, foot);
}

function startPrice(chart, c, box, bars, placed, parts) {
  priceState.colors = c;
  chart.setOption(priceOption(bars, c));
  let waiting = false;
  const refresh = () => {
    waiting = false;
    fillWindow(chart, bars, placed, parts);
  };
  chart.off("datazoom");
  chart.on("datazoom", (event) => {
    const range = event.batch ? event.batch[0] : event;
    if (range.start !== undefined) {
      priceState.from = (range.start / 100) * bars.n - 0.5;
      priceState.to = (range.end / 100) * bars.n - 0.5;
    }
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(refresh);
    }
  });
  const surface = chart.getZr();
  surface.off("mousemove");
  surface.on("mousemove", (event) => {
    if (chart.containPixel({ gridIndex: [0, 1] }, [event.offsetX, event.offsetY])) {
      parts.pointer = event.offsetX;
      readout(parts, candleAt(chart.convertFromPixel({ xAxisIndex: 0 }, event.offsetX)));
    }
  });
  const wheel = (setting) => chart.setOption({ dataZoom: [{ id: "pan", zoomOnMouseWheel: setting }] });
  box.onpointerdown = () => wheel(true);
  box.onpointerleave = () => wheel("ctrl");
  box.afterResize = refresh;
  box.goTo = (from, to) => {
    const span = Math.max(Math.min(20, bars.n - 1), to - from);
    const start = Math.max(-0.5, Math.min(from, bars.n - 0.5 - span));
    const end = Math.min(bars.n - 0.5, start + span);
    chart.dispatchAction({ type: "dataZoom", dataZoomIndex: 0, start: ((start + 0.5) / bars.n) * 100, end: ((end + 0.5) / bars.n) * 100 });
  };
  box.refresh = refresh;
  box.goTo(priceState.from, priceState.to);
  refresh();
}

function showRange(box, bars, days) {
  if (!days) {
    box.goTo(-0.5, bars.n - 0.5);
    return;
  }
  const end = Math.min(bars.n - 1, Math.ceil(priceState.to));
  const from = lowerBound(bars.ts, bars.ts[end] - days * 86400e3);
  box.goTo(from, end + 0.5);
}

function zoomBy(box, bars, factor) {
  const middle = (priceState.from + priceState.to) / 2;
  const half = Math.max(10, ((priceState.to - priceState.from) / 2) * factor);
  box.goTo(middle - half, middle + half);
}

// Pans to a trade (its number among all trades, from zero) and marks it.
function showTrade(box, bars, placed, row) {
  const trade = placed.find((item) => item.row === row - view.report.trades.first);
  box.scrollIntoView({ block: "center", behavior: "smooth" });
  box.start();
  if (!trade) {
    return;
  }
  priceState.selected = trade.row;
  const length = Math.max(10, trade.to - trade.from);
  box.goTo(trade.from - length * 1.5, trade.to + length * 1.5);
  box.refresh();
}
