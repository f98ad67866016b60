// The list of trades and the list of orders.

const tradeState = { sort: "number", down: false, page: 0, size: 25, result: "all", side: "all" };
const orderState = { sort: "id", down: false, page: 0, size: 25, status: "all" };

function numberColumn(key, values, write, mood) {
  return {
    key,
    label: t(`column.${key}`),
    tip: view.report.text[view.lang][`column.${key}_meaning`],
    numeric: true,
    value: (row) => values[row],
    text: (row) => write(values[row]),
    tone: mood ? (row) => tone(values[row]) : null,
  };
}

function timeColumn(key, name, values) {
  return { key, label: t(`column.${name}`), value: (row) => values[row], text: (row) => (values[row] > 0 ? time(values[row]) : DASH), raw: (row) => (values[row] > 0 ? new Date(values[row]).toISOString() : "") };
}

function wordColumn(key, values, prefix) {
  return { key, label: t(`column.${key}`), value: (row) => values[row], text: (row) => (values[row] ? named(prefix, values[row]) : DASH) };
}

function sideColumn(values) {
  return {
    key: "side",
    label: t("column.side"),
    value: (row) => values[row],
    text: (row) => values[row],
    cell: (row) => h(`span.side.${values[row] === "short" || values[row] === "sell" ? "sell" : "buy"}`, null, t(values[row])),
  };
}

function tradeColumns(c, first) {
  const columns = [
    { key: "number", label: "#", numeric: true, value: (row) => first + row + 1, text: (row) => fixed(first + row + 1, 0) },
    c.instrument && view.report.instruments.length > 1 && wordColumn("instrument", c.instrument, "raw"),
    c.side && sideColumn(c.side),
    c.entry_ts && timeColumn("entry_ts", "entry", c.entry_ts),
    c.entry_price && numberColumn("entry_price", c.entry_price, price),
    c.exit_ts && exitColumn(c),
    c.exit_price && numberColumn("exit_price", c.exit_price, price),
    c.quantity && numberColumn("quantity", c.quantity, quantity),
    c.pnl && numberColumn("pnl", c.pnl, signedMoney, true),
    c.return && numberColumn("return", c.return, signedPercent, true),
    c.fees && numberColumn("fees", c.fees, money),
    c.funding && Array.prototype.some.call(c.funding, (x) => x !== 0) && numberColumn("funding", c.funding, signedMoney),
    c.mae && numberColumn("mae", c.mae, percent),
    c.mfe && numberColumn("mfe", c.mfe, percent),
    c.entry_ts && c.exit_ts && {
      key: "held",
      label: t("column.held"),
      numeric: true,
      value: (row) => c.exit_ts[row] - c.entry_ts[row],
      text: (row) => duration(c.exit_ts[row] - c.entry_ts[row]),
    },
    c.exit_reason && wordColumn("exit_reason", c.exit_reason, "exit_reason"),
    c.tag && c.tag.some((tag) => tag && tag !== "0") && wordColumn("tag", c.tag, "raw"),
  ];
  const kept = columns.filter(Boolean);
  return isNarrow() ? firstOf(kept, ["number", "side", "pnl", "return", "entry_ts", "held"]) : kept;
}

// On a narrow screen the columns that matter most come first.
function firstOf(columns, keys) {
  const rank = (column) => (keys.includes(column.key) ? keys.indexOf(column.key) : keys.length);
  return columns.map((column, k) => [rank(column), k, column]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , column]) => column);
}

function exitColumn(c) {
  return {
    ...timeColumn("exit_ts", "exit", c.exit_ts),
    cell: (row) => (c.open && c.open[row] ? h("em", null, t("still_open")) : time(c.exit_ts[row])),
  };
}

function tradesPanel() {
  const { trades } = view.report;
  const c = trades.columns;
  if (!trades.total) {
    return panel(t("trade_list"), { wide: true }, empty(t("no_trades")));
  }
  const keep = (row) =>
    (tradeState.result === "all" || (tradeState.result === "win") === c.pnl[row] > 0) &&
    (tradeState.side === "all" || c.side[row] === tradeState.side);
  const columns = tradeColumns(c, trades.first);
  const rows = c.entry_ts.length;
  const table = pagedTable("trades", rows, columns, tradeState, {
    keep,
    label: t("trade_list"),
    choose: (row) => view.showTrade && view.showTrade(trades.first + row),
  });
  const choose = (key) => (value) => {
    tradeState[key] = value;
    tradeState.page = 0;
    table.refilter();
  };
  const tools = [
    c.pnl && segments(t("filter_result"), [["all", t("all")], ["win", t("winners")], ["loss", t("losers")]], tradeState.result, choose("result")),
    c.side && segments(t("filter_side"), [["all", t("all")], ["long", t("long")], ["short", t("short")]], tradeState.side, choose("side")),
    h("button.quiet", { type: "button", onclick: () => download("trades.csv", tableCsv(rows, columns, keep), "text/csv") }, t("csv")),
  ];
  const cut = trades.total > rows ? ` ${t("trades_cut", { n: fixed(rows, 0), all: fixed(trades.total, 0) })}` : "";
  return panel(t("trade_list"), { name: "trade-list", wide: true, note: t("trade_list_note") + cut, tools }, table.node);
}

function orderColumns(c) {
  const optional = (x) => (isNumber(x) && x !== 0 ? price(x) : DASH);
  const columns = [
    c.id && numberColumn("id", c.id, (x) => fixed(x, 0)),
    c.created_ts && timeColumn("created_ts", "created", c.created_ts),
    c.instrument && view.report.instruments.length > 1 && wordColumn("instrument", c.instrument, "raw"),
    c.side && sideColumn(c.side),
    c.type && wordColumn("type", c.type, "type"),
    c.quantity && numberColumn("quantity", c.quantity, (x) => (x ? quantity(x) : DASH)),
    c.price && numberColumn("price", c.price, optional),
    c.stop_price && numberColumn("stop_price", c.stop_price, optional),
    c.status && {
      ...wordColumn("status", c.status, "status"),
      cell: (row) => h(`span.state.${/^[a-z_]+$/.test(c.status[row]) ? c.status[row] : "other"}`, null, named("status", c.status[row])),
    },
    c.reason && { ...wordColumn("reason", c.reason, "reason"), text: (row) => (c.reason[row] && c.reason[row] !== "none" ? named("reason", c.reason[row]) : DASH) },
    c.filled && numberColumn("filled", c.filled, (x) => (x ? quantity(x) : DASH)),
    c.average_price && numberColumn("average_price", c.average_price, optional),
    c.fee && numberColumn("fee", c.fee, (x) => (x ? money(x) : DASH)),
    c.done_ts && timeColumn("done_ts", "done", c.done_ts),
    c.tag && c.tag.some((tag) => tag && tag !== "0") && wordColumn("tag", c.tag, "raw"),
  ];
  const kept = columns.filter(Boolean);
  return isNarrow() ? firstOf(kept, ["id", "side", "type", "status", "created_ts", "reason"]) : kept;
}

function ordersPanel() {
  const { orders } = view.report;
  const c = orders.columns;
  if (!orders.total) {
    return panel(t("orders"), { wide: true }, empty(t("no_orders")));
  }
  const columns = orderColumns(c);
  const rows = columns[0].value ? c[Object.keys(c)[0]].length : 0;
  const keep = (row) => orderState.status === "all" || c.status[row] === orderState.status;
  const table = pagedTable("orders", rows, columns, orderState, { keep, label: t("orders") });
  const present = c.status ? [...new Set(c.status)] : [];
  const tools = [
    present.length > 1 &&
      segments(t("filter_status"), [["all", t("all")], ...present.map((status) => [status, named("status", status)])], orderState.status, (value) => {
        orderState.status = value;
        orderState.page = 0;
        table.refilter();
      }),
    h("button.quiet", { type: "button", onclick: () => download("orders.csv", tableCsv(rows, columns, keep), "text/csv") }, t("csv")),
  ];
  const note = orders.total > rows ? t("orders_cut", { n: fixed(rows, 0), all: fixed(orders.total, 0) }) : null;
  return panel(t("orders"), { name: "orders", wide: true, note, tools }, table.node);
}
