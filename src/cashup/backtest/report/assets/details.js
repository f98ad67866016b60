// What to know before believing the figures, and how to produce them again.

function warningText(warning) {
  const values = { ...warning.values };
  if (values.reasons) {
    values.reasons = Object.entries(values.reasons).map(([reason, n]) => `${fixed(n, 0)} × ${named("reason", reason)}`).join(", ");
  }
  if (isNumber(values.n)) {
    values.n = fixed(values.n, 0);
  }
  return t(`warning.${warning.code}`, values);
}

function warnings() {
  const found = view.report.warnings;
  if (!found.length) {
    return null;
  }
  const items = found.map((warning) => h(`li.${warning.level}`, { "data-warning": warning.code }, warningText(warning)));
  return h("ul.warnings", { "aria-label": t("warnings") }, items);
}

function pairsTable(rows) {
  return h("dl.pairs", null, rows.map(([key, value]) => h("div", null, h("dt", null, named("setting", key)), h("dd", null, value))));
}

function setupPanels() {
  const { parameters, configuration, provenance, command, log, log_total: total } = view.report;
  const exact = () => JSON.stringify({ strategy: view.report.strategy, parameters: Object.fromEntries(parameters), configuration: Object.fromEntries(configuration), provenance: Object.fromEntries(provenance) }, null, 2);
  const panels = [];
  if (command) {
    panels.push(panel(t("reproduce"), { name: "reproduce", wide: true, note: t("reproduce_note"), tools: copyButton(() => command) }, h("pre.command", { tabindex: "0" }, h("code", null, command))));
  }
  const column = (title, rows) => (rows.length ? panel(title, {}, pairsTable(rows)) : null);
  panels.push(
    panel(t("parameters"), { name: "parameters", tools: copyButton(exact) }, parameters.length ? pairsTable(parameters) : empty(t("no_parameters"))),
    column(t("configuration"), configuration),
    column(t("provenance"), provenance),
  );
  if (log.length) {
    const lines = log.map(([ms, text]) => h("div", null, h("time", null, time(ms)), h("span", null, text)));
    const note = total > log.length ? t("log_cut", { n: fixed(log.length, 0), all: fixed(total, 0) }) : null;
    panels.push(panel(t("log_title"), { name: "log", wide: true, note }, h("div.log", { tabindex: "0", role: "log" }, lines)));
  }
  return panels.filter(Boolean);
}
