// How trades went: distribution of returns, excursions, holding time; and where the money went.

const analysisState = { excursion: "mae" };

function drawReturns(chart, c) {
  const { edges, counts, mean } = view.report.trade_charts.returns;
  const width = edges[1] - edges[0];
  const place = (x) => (x - edges[0]) / width - 0.5;
  const data = counts.map((count, k) => ({ value: count, itemStyle: { color: edges[k] >= -1e-12 ? c.gain : c.loss } }));
  const ticks = histogramTicks(edges, counts);
  const spacing = ticks.length > 1 ? (ticks[1] - ticks[0]) * width * 100 : width * 100;
  const digits = [0, 1, 2].find((places) => Math.abs(spacing * 10 ** places - Math.round(spacing * 10 ** places)) < 1e-6) ?? 3;
  const mark = (x, text, position) => ({ xAxis: place(x), label: { formatter: text, position, color: c.text, fontSize: 11 } });
  chart.setOption({
    ...baseOption(c),
    tooltip: {
      ...baseOption(c).tooltip,
      formatter: ({ dataIndex: k }) =>
        tipRows(`${percent(edges[k], digits + 1)} … ${percent(edges[k + 1], digits + 1)}`, [[data[k].itemStyle.color, t("trades"), fixed(counts[k], 0)]]),
    },
    grid: { left: 8, right: 44, top: 24, bottom: 26 },
    xAxis: [
      categoryAxis(c, counts.map((_, k) => percent(edges[k], digits)), { axisLabel: { show: false } }),
      {
        type: "value",
        min: -0.5,
        max: counts.length - 0.5,
        position: "bottom",
        axisLine: { show: false },
        axisTick: { show: false },
        splitLine: { show: false },
        axisLabel: { color: c.muted, fontSize: 11, hideOverlap: true, customValues: ticks, formatter: (x) => percent(edges[0] + (x + 0.5) * width, digits) },
      },
    ],
    yAxis: valueAxis(c, { scale: false, minInterval: 1, axisLabel: { color: c.muted, fontSize: 11, formatter: compact } }),
    series: [
      { type: "bar", data, barCategoryGap: "8%", emphasis: { disabled: true } },
      {
        type: "line",
        xAxisIndex: 1,
        data: [],
        markLine: {
          silent: true,
          symbol: "none",
          lineStyle: { color: c.text, type: "dashed", width: 1 },
          data: [mark(mean, `${t("mean")} ${signedPercent(mean)}`, "end")],
        },
      },
    ],
  });
  }

function histogramTicks(edges, counts) {
  const every = Math.max(1, Math.round(counts.length / 5));
  const zero = Math.round(-edges[0] / (edges[1] - edges[0]));
  const ticks = [];
  for (let k = zero % every; k <= counts.length; k += every) {
    ticks.push(k - 0.5);
  }
  return ticks;
}

function drawExcursion(chart, c) {
  const { mae, mfe, return: result, row } = view.report.trade_charts.excursion;
  const across = analysisState.excursion === "mae" ? mae : mfe;
  const points = { gain: [], loss: [] };
  for (let k = 0; k < row.length; k += 1) {
    points[result[k] > 0 ? "gain" : "loss"].push([Math.abs(across[k]), result[k], row[k], mae[k], mfe[k]]);
  }
  const series = (kind) => ({
    type: "scatter",
    data: points[kind],
    symbolSize: row.length > 800 ? 5 : 7,
    itemStyle: { color: fade(c[kind], 0.55) },
    emphasis: { scale: 1.4 },
  });
  const label = { color: c.muted, fontSize: 11, formatter: (x) => percent(x, 1) };
  chart.setOption({
    ...baseOption(c),
    tooltip: {
      ...baseOption(c).tooltip,
      formatter: ({ value, color }) =>
        tipRows(t("trade_number", { n: value[2] + 1 }), [
          [color, t("column.return"), signedPercent(value[1])],
          [null, t("column.mae"), percent(value[3])],
          [null, t("column.mfe"), percent(value[4])],
        ]),
    },
    grid: { left: 8, right: 52, top: 12, bottom: 42 },
    xAxis: { ...valueAxis(c, { position: "bottom", scale: false, min: 0 }), axisLabel: { ...label, hideOverlap: true }, name: t(`excursion.${analysisState.excursion}`), nameLocation: "middle", nameGap: 26, nameTextStyle: { color: c.muted, fontSize: 11 } },
    yAxis: valueAxis(c, { axisLabel: label }),
    series: [series("loss"), series("gain")],
  });
  chart.off("click");
  chart.on("click", ({ value }) => view.showTrade && view.showTrade(value[2]));
}

function drawHolding(chart, c) {
  const { minutes, wins, losses } = view.report.trade_charts.holding;
  const name = (m) => (m === 0 ? t("under", { time: duration(60e3) }) : `${duration(m * 60e3)}+`);
  const bar = (text, data, color, radius) => ({ name: text, type: "bar", stack: "held", data, barCategoryGap: "25%", itemStyle: { color, borderRadius: radius }, emphasis: { disabled: true } });
  chart.setOption({
    ...baseOption(c),
    tooltip: {
      ...baseOption(c).tooltip,
      trigger: "axis",
      axisPointer: { type: "shadow", shadowStyle: { color: c.faint } },
      formatter: (items) => {
        const k = items[0].dataIndex;
        const all = wins[k] + losses[k];
        return tipRows(name(minutes[k]), [
          [c.gain, t("winners"), fixed(wins[k], 0)],
          [c.loss, t("losers"), fixed(losses[k], 0)],
          [null, t("win_rate"), all ? percent(wins[k] / all, 1) : DASH],
        ]);
      },
    },
    grid: { left: 8, right: 44, top: 12, bottom: 26 },
    xAxis: categoryAxis(c, minutes.map(name)),
    yAxis: valueAxis(c, { scale: false, minInterval: 1, axisLabel: { color: c.muted, fontSize: 11, formatter: compact } }),
    series: [bar(t("losers"), losses, c.loss, 0), bar(t("winners"), wins, c.gain, [2, 2, 0, 0])],
  });
}

function tradePanels() {
  const found = view.report.trade_charts;
  const panels = [];
  if (found.returns && found.returns.counts.length) {
    const note = found.returns.clipped ? t("returns_clipped") : t("returns_note");
    panels.push(panel(t("returns"), { name: "returns", note }, chartBox("returns", t("returns"), drawReturns)));
  }
  if (found.excursion) {
    const box = chartBox("excursion", t("excursion"), drawExcursion);
    const tools = segments(t("excursion"), [["mae", "MAE"], ["mfe", "MFE"]], analysisState.excursion, (value) => {
      analysisState.excursion = value;
      box.redraw();
    });
    panels.push(panel(t("excursion"), { name: "excursion", note: t("excursion_note"), tools }, box));
  }
  if (found.holding) {
    panels.push(panel(t("holding"), { name: "holding", note: t("holding_note") }, chartBox("holding", t("holding"), drawHolding)));
  }
  return panels.length ? panels : [panel(t("trades"), {}, empty(t("no_trades")))];
}

function drawCosts(chart, c) {
  const { costs } = view.report;
  const steps = ["gross", "fees", "funding", "slippage", "net"];
  const bases = [];
  const parts = [];
  let level = 0;
  for (const step of steps) {
    const value = costs[step];
    const from = step === "gross" || step === "net" ? 0 : level;
    const to = step === "net" ? value : from + value;
    level = to;
    bases.push([from, to]);
    const color = step === "gross" || step === "net" ? c.accent : value >= 0 ? c.gain : c.loss;
    parts.push({ value: [parts.length, from, to, value], itemStyle: { color } });
  }
  chart.setOption({
    ...baseOption(c),
    tooltip: {
      ...baseOption(c).tooltip,
      formatter: ({ dataIndex: k }) => tipRows(t(`costs.${steps[k]}`), [[parts[k].itemStyle.color, view.report.currency, signedMoney(costs[steps[k]])]]),
    },
    grid: { left: 8, right: 60, top: 26, bottom: 28 },
    xAxis: categoryAxis(c, steps.map((step) => t(`costs.${step}`)), { axisLabel: { color: c.muted, fontSize: isNarrow() ? 10 : 12, interval: 0 } }),
    yAxis: valueAxis(c, { scale: false, axisLabel: { color: c.muted, fontSize: 11, formatter: compact } }),
    series: [
      {
        type: "custom",
        encode: { x: 0, y: [1, 2] },
        data: parts,
        renderItem: (params, api) => waterfallBar(params, api, bases, c),
      },
    ],
  });
}

function waterfallBar(params, api, bases, c) {
  const k = params.dataIndex;
  const [from, to] = bases[k];
  const [x, top] = api.coord([k, Math.max(from, to)]);
  const bottom = api.coord([k, Math.min(from, to)])[1];
  const width = Math.min(72, api.size([1, 0])[0] * 0.56);
  const children = [
    {
      type: "rect",
      shape: { x: x - width / 2, y: top, width, height: Math.max(1, bottom - top), r: 2 },
      style: { fill: api.visual("color") },
    },
    {
      type: "text",
      style: { text: compact(api.value(3)), x, y: top - 5, align: "center", verticalAlign: "bottom", fill: c.text, font: `11px ${c.font}` },
    },
  ];
  if (k + 1 < bases.length) {
    const next = api.coord([k + 1, to]);
    const y = Math.round(api.coord([k, to])[1]) + 0.5;
    children.push({ type: "line", shape: { x1: x + width / 2, y1: y, x2: next[0] - width / 2, y2: y }, style: { stroke: c.muted, lineDash: [2, 3] } });
  }
  return { type: "group", children };
}

function costPanels() {
  const { costs, trades, currency } = view.report;
  const paid = -(costs.fees + costs.funding + costs.slippage);
  const rows = [
    ["costs.gross", signedMoney(costs.gross), tone(costs.gross)],
    ["costs.fees", signedMoney(costs.fees), tone(costs.fees)],
    ["costs.funding", signedMoney(costs.funding), tone(costs.funding)],
    ["costs.slippage", signedMoney(costs.slippage), tone(costs.slippage)],
    ["costs.net", signedMoney(costs.net), tone(costs.net), "total"],
    ["costs.share", costs.gross > 0 ? percent(paid / costs.gross, 1) : DASH, ""],
    ["costs.turnover", money(costs.turnover), ""],
    ["costs.rate", costs.turnover > 0 ? `${fixed((paid / costs.turnover) * 1e4, 2)} ${t("unit.bp")}` : DASH, ""],
    ["costs.edge", costs.turnover > 0 ? `${fixed((costs.gross / costs.turnover) * 1e4, 2)} ${t("unit.bp")}` : DASH, ""],
    ["costs.per_trade", trades.total ? money(paid / trades.total) : DASH, ""],
  ];
  const list = h(
    "dl.figures",
    null,
    rows.map(([key, value, kind, extra]) =>
      h(`div${extra ? `.${extra}` : ""}`, null, h("dt", null, term(t(key), view.report.text[view.lang][`${key}_meaning`])), h(`dd${kind ? `.${kind}` : ""}`, null, value)),
    ),
  );
  return [
    panel(t("costs"), { name: "costs", note: t("costs_note", { currency }) }, chartBox("costs", t("costs"), drawCosts)),
    panel(t("costs.detail"), { note: t("costs_detail_note", { currency }) }, list),
  ];
}
