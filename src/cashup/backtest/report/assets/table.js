// A table over columns: sorted by its headings, filtered, a page at a time.
//
// `columns`: [{ key, label, tip, numeric, value(row), text(row), tone(row), cell(row), minor }]
// `state` is kept by the caller, so that a change of language loses nothing.

const PAGE_SIZES = [25, 50, 100];

function pagedTable(name, rowCount, columns, state, options) {
  const body = h("tbody");
  const head = h("tr");
  const pager = h("div.pager");
  const count = h("span.count", { role: "status" });
  let rows = [];

  function refilter() {
    rows = [];
    for (let row = 0; row < rowCount; row += 1) {
      if (!options.keep || options.keep(row)) {
        rows.push(row);
      }
    }
    const column = columns.find((item) => item.key === state.sort) || columns[0];
    const order = state.down ? -1 : 1;
    const blank = (x) => x === null || x === undefined || Number.isNaN(x) || x === "";
    rows.sort((a, b) => {
      const left = column.value(a);
      const right = column.value(b);
      if (blank(left) || blank(right)) {
        return blank(left) - blank(right) || a - b;
      }
      return (left < right ? -1 : left > right ? 1 : 0) * order || a - b;
    });
    state.page = Math.min(state.page, Math.max(0, Math.ceil(rows.length / state.size) - 1));
    draw();
  }

  function draw() {
    head.replaceChildren(...columns.map(heading));
    const start = state.page * state.size;
    const shown = rows.slice(start, start + state.size);
    body.replaceChildren(...shown.map(line));
    if (!shown.length) {
      body.append(h("tr", null, h("td.none", { colspan: columns.length }, t("nothing_matches"))));
    }
    count.textContent = t("shown_of", { from: rows.length ? fixed(start + 1, 0) : 0, to: fixed(start + shown.length, 0), all: fixed(rows.length, 0) });
    drawPager();
  }

  function heading(column) {
    const active = column.key === state.sort;
    const direction = active ? (state.down ? "descending" : "ascending") : "none";
    const button = h(
      "button",
      {
        type: "button",
        title: column.tip,
        onclick: () => {
          state.down = active ? !state.down : Boolean(column.numeric);
          state.sort = column.key;
          state.page = 0;
          refilter();
          head.querySelector(`[data-key="${column.key}"] button`).focus();
        },
      },
      column.label,
      h("span.arrow", { "aria-hidden": "true" }, active ? (state.down ? "▼" : "▲") : ""),
    );
    return h(`th${column.numeric ? ".num" : ""}`, { scope: "col", "aria-sort": direction, "data-key": column.key }, button);
  }

  function line(row) {
    const cells = columns.map((column) => {
      const mood = column.tone ? column.tone(row) : "";
      return h(`td${column.numeric ? ".num" : ""}${mood ? `.${mood}` : ""}`, null, column.cell ? column.cell(row) : column.text(row));
    });
    if (!options.choose) {
      return h("tr", null, cells);
    }
    return h("tr.clickable", { tabindex: "0", onclick: () => options.choose(row), onkeydown: (event) => event.key === "Enter" && options.choose(row) }, cells);
  }

  function drawPager() {
    const pages = Math.max(1, Math.ceil(rows.length / state.size));
    const go = (page) => {
      state.page = page;
      draw();
    };
    const step = (label, sign, page) =>
      h("button", { type: "button", "aria-label": label, disabled: page < 0 || page >= pages || page === state.page, onclick: () => go(page) }, sign);
    const size = h(
      "select",
      {
        "aria-label": t("rows_per_page"),
        onchange: (event) => {
          state.size = Number(event.target.value);
          state.page = 0;
          draw();
        },
      },
      PAGE_SIZES.map((n) => h("option", { value: n, selected: n === state.size }, t("per_page", { n }))),
    );
    pager.replaceChildren(
      count,
      h(
        "div.pager-buttons",
        null,
        step(t("first_page"), "«", 0),
        step(t("previous_page"), "‹", state.page - 1),
        h("span", null, `${fixed(state.page + 1, 0)} / ${fixed(pages, 0)}`),
        step(t("next_page"), "›", state.page + 1),
        step(t("last_page"), "»", pages - 1),
      ),
      size,
    );
  }

  refilter();
  const table = h("table.data", { "data-table": name }, h("thead", null, head), body);
  return { node: h("div", null, h("div.scroll", { tabindex: "0", role: "region", "aria-label": options.label }, table), pager), refilter };
}

// All rows that pass the filter, as CSV. A cell that a spreadsheet would take for a formula is defused.
function tableCsv(rowCount, columns, keep) {
  const cell = (value) => {
    let text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) {
      text = `'${text}`;
    }
    return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  const lines = [columns.map((column) => cell(column.key)).join(",")];
  for (let row = 0; row < rowCount; row += 1) {
    if (!keep || keep(row)) {
      lines.push(columns.map((column) => cell(column.raw ? column.raw(row) : column.value(row))).join(","));
    }
  }
  return lines.join("\r\n");
}
