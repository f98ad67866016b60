// Returns by month and by year.

function heat(value, largest) {
  if (!isNumber(value)) {
    return {};
  }
  const share = Math.round(12 + 68 * Math.min(1, Math.abs(value) / largest));
  return { "--heat": `color-mix(in srgb, var(${value >= 0 ? "--gain" : "--loss"}) ${value === 0 ? 0 : share}%, var(--surface))`, "--strong": share > 58 ? "1" : "0" };
}

function monthPanel() {
  const { months, years } = view.report.calendar;
  if (!months.length) {
    return panel(t("months"), {}, empty(t("no_bars")));
  }
  const sorted = months.map((item) => Math.abs(item.return)).sort((a, b) => a - b);
  const largest = Math.max(sorted[Math.floor(0.95 * (sorted.length - 1))], 1e-9);
  const head = [h("th", { scope: "col" }, h("span.sr", null, t("year")))];
  for (let month = 1; month <= 12; month += 1) {
    head.push(h("th", { scope: "col" }, t(`month.${month}`)));
  }
  head.push(h("th", { scope: "col" }, t("year")));
  const body = years.map((year) => {
    const cells = [];
    for (let month = 1; month <= 12; month += 1) {
      const found = months.find((item) => item.year === year.year && item.month === month);
      cells.push(found ? heatCell(found.return, found.benchmark, largest, `${year.year}-${two(month)}`) : h("td.heat.none", null, ""));
    }
    return h("tr", null, h("th", { scope: "row" }, year.year), cells, h(`td.heat-total.${tone(year.return) || "even"}`, null, signedPercent(year.return, 1)));
  });
  const table = h("table.heatmap", { style: { "--rows": years.length } }, h("thead", null, h("tr", null, head)), h("tbody", null, body));
  const good = months.filter((item) => item.return > 0).length;
  const note = t("months_note", { good, all: months.length, share: percent(good / months.length, 0) });
  return panel(t("months"), { name: "months", note }, h("div.scroll.grow", null, table), monthFigures(months));
}

function monthFigures(months) {
  const values = months.map((item) => item.return).sort((a, b) => a - b);
  const middle = values.length / 2;
  const median = (values[Math.floor(middle)] + values[Math.ceil(middle) - 1]) / 2;
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const beaten = months.filter((item) => item.return > item.benchmark).length;
  const items = [
    ["best_month", signedPercent(values[values.length - 1]), values[values.length - 1]],
    ["worst_month", signedPercent(values[0]), values[0]],
    ["mean_month", signedPercent(mean), mean],
    ["median_month", signedPercent(median), median],
    ["beaten_months", `${beaten} / ${months.length}`, 0],
  ];
  return h("dl.strip", null, items.map(([key, text, value]) => h("div", null, h("dt", null, t(key)), h(`dd${tone(value) ? `.${tone(value)}` : ""}`, null, text))));
}

function heatCell(value, benchmark, largest, label) {
  const meaning = `${label}: ${signedPercent(value)} · ${t("buy_and_hold")} ${signedPercent(benchmark)}`;
  const digits = Math.abs(value) >= 0.9995 ? 0 : 1;
  const text = fixed(value * 100, digits);
  const style = heat(value, largest);
  return h(`td.heat${style["--strong"] === "1" ? ".strong" : ""}`, { style, "data-tip": meaning, title: meaning }, withSign(text, value));
}

function drawYears(chart, c) {
  const { years } = view.report.calendar;
  const bar = (name, values, color) => ({
    name,
    type: "bar",
    data: values,
    barMaxWidth: 26,
    barGap: "15%",
    barMinHeight: 1,
    itemStyle: { color, borderRadius: 2 },
    emphasis: { disabled: true },
  });
  const own = years.map((item) => ({ value: item.return, itemStyle: { color: item.return >= 0 ? c.gain : c.loss } }));
  const few = years.length <= 8;
  chart.setOption({
    ...baseOption(c),
    tooltip: {
      ...baseOption(c).tooltip,
      trigger: "axis",
      axisPointer: { type: "shadow", shadowStyle: { color: c.faint } },
      formatter: (items) => {
        const year = years[items[0].dataIndex];
        return tipRows(String(year.year), [
          [year.return >= 0 ? c.gain : c.loss, t("strategy"), signedPercent(year.return)],
          [c.second, t("buy_and_hold"), signedPercent(year.benchmark)],
        ]);
      },
    },
    grid: { left: 8, right: 52, top: 22, bottom: 26 },
    xAxis: categoryAxis(c, years.map((item) => String(item.year))),
    yAxis: valueAxis(c, { scale: false, axisLabel: { color: c.muted, fontSize: 11, formatter: (x) => percent(x, 0) } }),
    series: [
      {
        ...bar(t("strategy"), own, c.gain),
        label: {
          show: few,
          color: c.text,
          fontSize: 11,
          position: "top",
          formatter: (item) => signedPercent(item.value, 1),
        },
      },
      bar(t("buy_and_hold"), years.map((item) => item.benchmark), fade(c.second, 0.5)),
    ],
  });
}

function yearPanel() {
  if (!view.report.calendar.years.length) {
    return null;
  }
  const key = legend([["gain", t("strategy"), "area"], ["second", t("buy_and_hold"), "area"]]);
  return panel(t("years"), { name: "years", tools: key }, h("div.short", null, chartBox("years", t("years"), drawYears)));
}
