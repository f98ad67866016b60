// The price chart: candles folded to what fits the window, real bars when zoomed in, trades on top.

const CANDLE_STEPS = [1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440, 2880, 4320, 10080, 20160, 43200].map((m) => m * 60e3);
const priceState = { from: null, to: null, selected: null, candles: [], step: 1 };

// The trades on the drawn instrument as positions among the stored bars, in order of entry.
function placeTrades(bars) {
  const { columns } = view.report.trades;
  if (!columns.entry_ts) {
    return [];
  }
  const drawn = view.report.instruments[0];
  const placed = [];
  const width = view.report.bar_ms * bars.fold;
  for (let row = 0; row < columns.entry_ts.length; row += 1) {
    if (columns.instrument && columns.instrument[row] !== drawn) {
      continue;
    }
    const side = columns.side && columns.side[row] === "short" ? -1 : 1;
    placed.push({
      row,
      side,
      from: placeTime(bars, columns.entry_ts[row], width),
      to: placeTime(bars, columns.exit_ts[row], width),
      entry: columns.entry_price[row],
      exit: columns.exit_price[row],
      won: columns.pnl ? columns.pnl[row] > 0 : true,
      open: Boolean(columns.open && columns.open[row]),
    });
  }
  return placed;
}

// Bar position of a time, as a fraction inside the bar; a bar's middle lies on its whole number.
function placeTime(bars, ms, width) {
  const k = Math.max(0, lowerBound(bars.ts, ms + 0.5) - 1);
  return k + Math.min(1, Math.max(0, (ms - bars.ts[k]) / width)) - 0.5;
}

function candleMs(bars, count, slots) {
  const barMs = view.report.bar_ms * bars.fold || 60e3;
  const wanted = (count / slots) * barMs;
  return Math.max(barMs, CANDLE_STEPS.find((step) => step >= wanted && step % barMs === 0) || Math.ceil(wanted / barMs) * barMs);
}

// Candles of bars [from, to): x is the middle of the bars it holds.
function foldCandles(bars, from, to, step) {
  const candles = [];
  let current = null;
  let bucket = null;
  for (let k = from; k < to; k += 1) {
    const own = Math.floor(bars.ts[k] / step);
    if (own !== bucket) {
      current = { x: k, first: k, last: k, ts: bars.ts[k], open: bars.open[k], high: bars.high[k], low: bars.low[k], close: bars.close[k], volume: bars.volume[k] };
      candles.push(current);
      bucket = own;
    } else {
      current.last = k;
      current.x = (current.first + k) / 2;
      current.close = bars.close[k];
      current.volume += bars.volume[k];
      if (bars.high[k] > current.high) {
        current.high = bars.high[k];
      }
      if (bars.low[k] < current.low) {
        current.low = bars.low[k];
      }
    }
  }
  return candles;
}

function drawCandle(params, api) {
  const candle = priceState.candles[params.dataIndex];
  if (!candle) {
    return null;
  }
  const c = priceState.colors;
  const [x, open] = api.coord([candle.x, candle.open]);
  const close = api.coord([candle.x, candle.close])[1];
  const high = api.coord([candle.x, candle.high])[1];
  const low = api.coord([candle.x, candle.low])[1];
  const slot = api.size([candle.last - candle.first + 1, 0])[0];
  const width = Math.max(1, Math.min(24, Math.floor(slot * 0.7)));
  const left = Math.round(x - width / 2);
  const color = candle.close >= candle.open ? c.up : c.down;
  const middle = left + Math.floor(width / 2) + (width % 2 ? 0.5 : 0);
  return {
    type: "group",
    children: [
      { type: "line", silent: true, shape: { x1: middle, y1: high, x2: middle, y2: low }, style: { stroke: color, lineWidth: 1 } },
      { type: "rect", silent: true, shape: { x: left, y: Math.min(open, close), width, height: Math.max(1, Math.abs(close - open)) }, style: { fill: color } },
    ],
  };
}

function drawVolume(params, api) {
  const candle = priceState.candles[params.dataIndex];
  if (!candle) {
    return null;
  }
  const [x, top] = api.coord([candle.x, candle.volume]);
  const bottom = api.coord([candle.x, 0])[1];
  const slot = api.size([candle.last - candle.first + 1, 0])[0];
  const width = Math.max(1, Math.min(24, Math.floor(slot * 0.7)));
  const color = candle.close >= candle.open ? priceState.colors.up : priceState.colors.down;
  return { type: "rect", silent: true, shape: { x: Math.round(x - width / 2), y: top, width, height: bottom - top }, style: { fill: fade(color, 0.4) } };
}

function drawTrade(params, api) {
  const trade = priceState.shown[params.dataIndex];
  if (!trade) {
    return null;
  }
  const c = priceState.colors;
  const [x1, y1] = api.coord([trade.from, trade.entry]);
  const [x2, y2] = api.coord([trade.to, trade.exit]);
  const chosen = priceState.selected === trade.row;
  const color = trade.won ? c.gain : c.loss;
  const size = chosen ? 8 : 6;
  const children = [
    { type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: color, lineWidth: chosen ? 2.5 : 1.4, lineDash: chosen ? null : [3, 3] } },
    arrow(x1, y1, trade.side, size, trade.side > 0 ? c.up : c.down, c.surface),
  ];
  if (!trade.open) {
    children.push({ type: "circle", shape: { cx: x2, cy: y2, r: size * 0.6 }, style: { fill: c.surface, stroke: color, lineWidth: 1.8 } });
  }
  return { type: "group", children };
}

// An arrow whose tip touches the price: from below for a purchase, from above for a sale.
function arrow(x, y, side, size, color, edge) {
  const base = y + side * size * 1.7;
  return {
    type: "polygon",
    shape: { points: [[x, y + side], [x - size, base], [x + size, base]] },
    style: { fill: color, stroke: edge, lineWidth: 1 },
  };
}

// A strip along the bottom that says when a position was held; neighbours closer than a pixel become one.
function ribbon(trades, from, to, width) {
  const pixel = (to - from) / Math.max(1, width);
  const strips = [];
  for (const trade of trades) {
    const last = strips[strips.length - 1];
    if (last && last.side === trade.side && trade.from - last.to < pixel) {
      last.to = Math.max(last.to, trade.to);
    } else {
      strips.push({ from: trade.from, to: trade.to, side: trade.side });
    }
  }
  return strips.map((strip) => [strip.from, Math.max(strip.to, strip.from + pixel), strip.side]);
}

function drawStrip(params, api) {
  const area = params.coordSys;
  const start = Math.max(area.x, api.coord([api.value(0), 0])[0]);
  const end = Math.min(area.x + area.width, api.coord([api.value(1), 0])[0]);
  if (end <= area.x || start >= area.x + area.width) {
    return null;
  }
  const color = api.value(2) > 0 ? priceState.colors.up : priceState.colors.down;
  return { type: "rect", silent: true, shape: { x: start, y: area.y + area.height - 4, width: Math.max(1, end - start), height: 4 }, style: { fill: fade(color, 0.8) } };
}
