// Headline figures and the full table of statistics.

const HEADLINE = ["total_return", "cagr", "max_drawdown", "sharpe", "sortino", "win_rate", "profit_factor", "trades"];

function statistic(key) {
  return view.report.statistics.find((item) => item.key === key);
}

function statisticName(item) {
  return item.label[view.lang] || item.label.en;
}

function statisticMeaning(item) {
  return item.definition[view.lang] || item.definition.en;
}

const SIGNED = new Set(["total_return", "cagr"]);

function headline() {
  const cards = HEADLINE.map(statistic).filter(Boolean).map((item) => {
    const signed = SIGNED.has(item.key);
    const text = signed ? signedPercent(item.value) : figure(item.value, item.unit);
    const mood = signed ? tone(item.value) : item.key === "max_drawdown" ? "loss" : "";
    return h(
      "div.card",
      { "data-card": item.key },
      h("div.card-name", null, term(statisticName(item), statisticMeaning(item))),
      h(`div.card-value${mood ? `.${mood}` : ""}`, null, text),
      h("div.card-note", null, cardNote(item)),
    );
  });
  return h("div.cards", null, cards);
}

function cardNote(item) {
  const { report } = view;
  if (item.key === "total_return") {
    return `${money(report.initial_cash)} → ${money(report.final_equity)} ${report.currency}`;
  }
  if (item.key === "max_drawdown" && report.drawdowns.length) {
    const worst = report.drawdowns[0];
    return `${date(worst.peak)} → ${date(worst.trough)}`;
  }
  if (isNumber(item.benchmark)) {
    return `${t("buy_and_hold")} ${figure(item.benchmark, item.unit)}`;
  }
  const exposure = report.curves.exposure;
  if (item.key === "trades" && exposure) {
    return t("in_market", { share: percent(exposure.long + exposure.short, 0) });
  }
  return "";
}

function statisticsPanel() {
  const { statistics } = view.report;
  if (!statistics.length) {
    return null;
  }
  const groups = new Map();
  statistics.forEach((item) => groups.set(item.group, [...(groups.get(item.group) || []), item]));
  const compared = (items) => items.some((item) => isNumber(item.benchmark));
  const blocks = [...groups].map(([name, items]) =>
    h(
      "section.stat-group",
      null,
      h("h4", null, named("group", name), compared(items) ? h("span.heads", null, h("span", null, t("strategy")), h("span", null, t("buy_and_hold"))) : null),
      h("dl", null, items.map((item) => statisticRow(item, compared(items)))),
    ),
  );
  const search = h("input", {
    type: "search",
    placeholder: t("search_statistics"),
    "aria-label": t("search_statistics"),
    oninput: (event) => filterStatistics(blocks, event.target.value),
  });
  return panel(t("statistics"), { name: "statistics", wide: true, note: t("statistics_note", { n: statistics.length }), tools: search }, h("div.stats", null, blocks));
}

function statisticRow(item, compared) {
  const words = [item.key, item.label.en, item.label.zh, statisticMeaning(item)].join(" ").toLowerCase();
  return h(
    "div.stat",
    { "data-words": words, "data-stat": item.key },
    h("dt", null, term(statisticName(item), statisticMeaning(item))),
    h("dd", null, figure(item.value, item.unit)),
    compared ? h("dd.other", null, isNumber(item.benchmark) ? figure(item.benchmark, item.unit) : "") : null,
  );
}

function filterStatistics(blocks, text) {
  const wanted = text.trim().toLowerCase();
  for (const block of blocks) {
    let any = false;
    for (const row of block.querySelectorAll(".stat")) {
      row.hidden = !row.dataset.words.includes(wanted);
      any = any || !row.hidden;
    }
    block.hidden = !any;
  }
}
