// Equity against buy-and-hold, the drawdowns under it, exposure and the rolling figures.

const equityState = { log: false, marked: null, window: null };

function pairs(ts, values) {
  const out = new Array(ts.length);
  for (let k = 0; k < ts.length; k += 1) {
    out[k] = [ts[k], Number.isFinite(values[k]) ? values[k] : null];
  }
  return out;
}

function lineSeries(name, data, color, extra) {
  return {
    name,
    type: "line",
    data,
    showSymbol: false,
    symbolSize: 5,
    lineStyle: { width: 1.6, color },
    itemStyle: { color },
    emphasis: { disabled: true },
    sampling: "lttb",
    ...extra,
  };
}

function drawEquity(chart, c) {
  const { curves, initial_cash: cash, currency } = view.report;
  const narrow = isNarrow();
  const right = narrow ? 52 : 64;
  const positive = curves.equity.every((x) => x > 0) && curves.benchmark.every((x) => x > 0);
  const area = new echarts.graphic.LinearGradient(0, 0, 0, 1, [
    { offset: 0, color: fade(c.accent, 0.18) },
    { offset: 1, color: fade(c.accent, 0) },
  ]);
  const span = equityState.marked;
  const marked = span ? { silent: true, itemStyle: { color: fade(c.loss, 0.1) }, data: [[{ xAxis: span[0] }, { xAxis: span[1] }]] } : undefined;
  const depths = pairs(curves.ts, curves.drawdown);
  chart.setOption({
    ...baseOption(c),
    axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: c.muted, type: "dashed" }, label: { show: false } },
    tooltip: {
      ...baseOption(c).tooltip,
      trigger: "axis",
      formatter: (items) => equityTip(items[0].dataIndex, c),
    },
    grid: [
      { left: 8, right, top: 12, height: narrow ? 190 : 268 },
      { left: 8, right, top: narrow ? 226 : 304, height: narrow ? 80 : 104 },
    ],
    xAxis: [
      timeAxis(c, curves.ts, chart.getWidth(), { gridIndex: 0, axisLabel: { show: false }, axisLine: { show: false } }),
      timeAxis(c, curves.ts, chart.getWidth(), { gridIndex: 1 }),
    ],
    yAxis: [
      valueAxis(c, {
        gridIndex: 0,
        type: equityState.log && positive ? "log" : "value",
        axisLabel: { color: c.muted, fontSize: 11, formatter: compact },
      }),
      valueAxis(c, { gridIndex: 1, max: 0, splitNumber: 2, axisLabel: { color: c.muted, fontSize: 11, formatter: (x) => percent(x, 0) } }),
    ],
    series: [
      lineSeries(t("buy_and_hold"), pairs(curves.ts, curves.benchmark), c.second, { lineStyle: { width: 1.3, color: c.second }, sampling: undefined }),
      lineSeries(t("strategy"), pairs(curves.ts, curves.equity), c.accent, {
        areaStyle: equityState.log ? undefined : { color: area, origin: "start" },
        sampling: undefined,
        markLine: {
          silent: true,
          symbol: "none",
          label: { show: false },
          lineStyle: { color: c.muted, type: "dotted", width: 1 },
          data: [{ yAxis: cash }],
        },
        markArea: marked,
      }),
      lineSeries(t("buy_and_hold"), pairs(curves.ts, curves.benchmark_drawdown), c.second, { xAxisIndex: 1, yAxisIndex: 1, lineStyle: { width: 1, color: c.second, opacity: 0.7 }, sampling: undefined }),
      lineSeries(t("strategy"), depths, c.loss, { xAxisIndex: 1, yAxisIndex: 1, lineStyle: { width: 1.2, color: c.loss }, areaStyle: { color: fade(c.loss, 0.18), origin: 0 }, markArea: marked, sampling: undefined }),
    ],
  });

  function equityTip(k) {
    const own = curves.equity[k];
    const hold = curves.benchmark[k];
    return tipRows(time(curves.ts[k]), [
      [c.accent, t("strategy"), `${money(own)} ${currency}`],
      [null, "", signedPercent(own / cash - 1)],
      [c.second, t("buy_and_hold"), `${money(hold)} ${currency}`],
      [null, "", signedPercent(hold / cash - 1)],
      [c.loss, t("drawdown"), percent(curves.drawdown[k])],
    ]);
  }
}

function equityPanel() {
  const { curves } = view.report;
  if (!curves.ts) {
    return panel(t("equity"), { wide: true }, empty(t("no_bars")));
  }
  const box = chartBox("equity", t("equity_label"), drawEquity);
  box.classList.add("tall");
  view.markDrawdown = (span) => {
    equityState.marked = span;
    box.redraw();
  };
  const scale = segments(t("scale"), [["linear", t("linear")], ["log", t("log")]], equityState.log ? "log" : "linear", (value) => {
    equityState.log = value === "log";
    box.redraw();
  });
  const key = legend([["accent", t("strategy")], ["second", t("buy_and_hold")], ["loss", t("drawdown"), "area"]]);
  return panel(t("equity"), { name: "equity", wide: true, tools: [key, scale] }, box);
}

function drawdownPanel() {
  const rows = view.report.drawdowns;
  if (!rows.length) {
    return panel(t("drawdowns"), {}, empty(t("no_drawdowns")));
  }
  const head = ["depth", "from", "trough", "to", "lasted"].map((key) => h("th", { class: key === "depth" || key === "lasted" ? "num" : "" }, t(`drawdown.${key}`)));
  const worst = rows[0].depth;
  const body = rows.map((row) => {
    const line = h(
      "tr.clickable",
      { tabindex: "0", onclick: () => select(line, row), onkeydown: (event) => event.key === "Enter" && select(line, row) },
      h("td.num.loss.depth", { style: { "--share": row.depth / worst } }, h("span", null, percent(row.depth))),
      h("td", null, date(row.peak)),
      h("td", null, date(row.trough)),
      h("td", null, row.recovery === null ? h("em", null, t("not_recovered")) : date(row.recovery)),
      h("td.num", null, duration(row.end - row.peak)),
    );
    return line;
  });
  function select(line, row) {
    const again = line.classList.contains("chosen");
    body.forEach((other) => other.classList.remove("chosen"));
    line.classList.toggle("chosen", !again);
    view.markDrawdown(again ? null : [row.peak, row.end]);
  }
  const table = h("table.plain", null, h("thead", null, h("tr", null, head)), h("tbody", null, body));
  return panel(t("drawdowns"), { name: "drawdowns", note: t("drawdowns_note") }, h("div.scroll", null, table));
}

function drawExposure(chart, c) {
  const { exposure } = view.report.curves;
  const narrow = isNarrow();
  const part = (name, values, color) =>
    lineSeries(name, pairs(exposure.ts, values), color, { step: "end", lineStyle: { width: 0 }, areaStyle: { color: fade(color, 0.55) }, sampling: undefined });
  chart.setOption({
    ...baseOption(c),
    tooltip: {
      ...baseOption(c).tooltip,
      trigger: "axis",
      formatter: (items) => {
        const k = items[0].dataIndex;
        return tipRows(time(exposure.ts[k]), [
          [c.up, t("long"), percent(exposure.long_part[k], 1)],
          [c.down, t("short"), percent(exposure.short_part[k], 1)],
        ]);
      },
    },
    grid: { left: 8, right: narrow ? 52 : 56, top: 10, bottom: 26 },
    xAxis: timeAxis(c, exposure.ts, chart.getWidth()),
    yAxis: valueAxis(c, { scale: false, axisLabel: { color: c.muted, fontSize: 11, formatter: (x) => percent(x, 0) } }),
    series: [part(t("long"), exposure.long_part, c.up), part(t("short"), exposure.short_part, c.down)],
  });
}

function exposurePanel() {
  const { exposure } = view.report.curves;
  if (!exposure) {
    return null;
  }
  const flat = Math.max(0, 1 - exposure.long - exposure.short);
  const shares = [["up", t("long"), exposure.long], ["down", t("short"), exposure.short], ["line", t("flat"), flat]];
  const bar = h(
    "div.shares",
    { role: "img", "aria-label": shares.map(([, name, share]) => `${name} ${percent(share, 0)}`).join(", ") },
    shares.filter(([, , share]) => share > 0).map(([color, , share]) => h("i", { style: { "flex-grow": share, background: `var(--${color})` } })),
  );
  const key = legend(shares.map(([color, name, share]) => [color, `${name} ${percent(share, 1)}`, "area"]));
  return panel(t("exposure"), { name: "exposure", note: t("exposure_note") }, bar, key, chartBox("exposure", t("exposure"), drawExposure));
}

function rollingChart(kind, isPercent) {
  return chartBox(`rolling-${kind}`, t(`rolling.${kind}`), (chart, c) => {
    const chosen = view.report.rolling.windows[equityState.window];
    const write = isPercent ? (x) => percent(x, 1) : ratio;
    const own = pairs(chosen.ts, chosen[kind]);
    const hold = pairs(chosen.ts, chosen[`benchmark_${kind}`]);
    chart.setOption({
      ...baseOption(c),
      tooltip: {
        ...baseOption(c).tooltip,
        trigger: "axis",
        axisPointer: { lineStyle: { color: c.muted, type: "dashed" } },
        formatter: (items) => {
          const k = items[0].dataIndex;
          return tipRows(date(chosen.ts[k]), [
            [c.accent, t("strategy"), write(chosen[kind][k])],
            [c.second, t("buy_and_hold"), write(chosen[`benchmark_${kind}`][k])],
          ]);
        },
      },
      grid: { left: 8, right: 52, top: 10, bottom: 26 },
      xAxis: timeAxis(c, chosen.ts, chart.getWidth()),
      yAxis: valueAxis(c, { scale: false, axisLabel: { color: c.muted, fontSize: 11, formatter: isPercent ? (x) => percent(x, 0) : (x) => fixed(x, 0, 1) } }),
      series: [
        lineSeries(t("buy_and_hold"), hold, c.second, { lineStyle: { width: 1.2, color: c.second } }),
        lineSeries(t("strategy"), own, c.accent, {
          markLine: isPercent ? undefined : { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: c.muted, type: "solid", width: 1 }, data: [{ yAxis: 0 }] },
        }),
      ],
    });
  });
}

function rollingPanels() {
  const { windows, chosen } = view.report.rolling;
  if (!windows.length) {
    return [];
  }
  if (equityState.window === null) {
    equityState.window = chosen;
  }
  const sharpe = rollingChart("sharpe", false);
  const volatility = rollingChart("volatility", true);
  const choices = windows.map((item, k) => [String(k), t("days", { n: item.days })]);
  const tools = segments(t("rolling.window"), choices, String(equityState.window), (value) => {
    equityState.window = Number(value);
    sharpe.redraw();
    volatility.redraw();
  });
  return [
    panel(t("rolling.sharpe"), { name: "rolling", note: t("rolling_note"), tools }, sharpe),
    panel(t("rolling.volatility"), { note: t("rolling_note") }, volatility),
  ];
}
