// Round times for axes: evenly spaced, labelled by the largest unit that begins with them.

const DAY = 86400e3;
const TIME_STEPS = [60e3, 300e3, 900e3, 1800e3, 3600e3, 7200e3, 4 * 3600e3, 8 * 3600e3, 12 * 3600e3, DAY, 2 * DAY, 7 * DAY, 14 * DAY];
const MONTH_STEPS = [1, 2, 3, 6, 12, 24, 60, 120];

// At most about `wanted` pairs of [time in ms, label] from start to end; half more where they are short names of months.
function roundTimes(start, end, wanted) {
  const step = TIME_STEPS.find((size) => (end - start) / size <= wanted);
  const times = step ? everyStep(start, end, step) : everyMonths(start, end, wanted * 1.5);
  return times.map((ts) => [ts, tickLabel(ts, step)]);
}

function everyStep(start, end, step) {
  const times = [];
  for (let ts = Math.ceil(start / step) * step; ts <= end; ts += step) {
    times.push(ts);
  }
  return times;
}

function everyMonths(start, end, wanted) {
  const needed = (end - start) / (30.4 * DAY) / wanted;
  const every = MONTH_STEPS.find((size) => size >= needed) || Math.ceil(needed / 120) * 120;
  const first = new Date(start);
  const begun = first.getUTCFullYear() * 12 + first.getUTCMonth();
  let month = Math.ceil((begun + (monthStart(begun) < start ? 1 : 0)) / every) * every;
  const times = [];
  for (; monthStart(month) <= end; month += every) {
    times.push(monthStart(month));
  }
  return times;
}

function monthStart(month) {
  return Date.UTC(Math.floor(month / 12), month % 12, 1);
}

function tickLabel(ts, step) {
  const d = new Date(ts);
  const midnight = d.getUTCHours() === 0 && d.getUTCMinutes() === 0;
  if (!midnight) {
    return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  }
  const first = d.getUTCDate() === 1;
  if (first && d.getUTCMonth() === 0) {
    return String(d.getUTCFullYear());
  }
  if (first || !step) {
    return t(`month.${d.getUTCMonth() + 1}`);
  }
  return view.lang === "zh" ? `${d.getUTCMonth() + 1}/${d.getUTCDate()}` : `${t(`month.${d.getUTCMonth() + 1}`)} ${d.getUTCDate()}`;
}

// An axis over times whose labels are the round times of its span.
function timeAxis(c, ts, width, extra) {
  const [start, end] = [ts[0], ts[ts.length - 1]];
  const labels = new Map(roundTimes(start, end, Math.max(3, Math.floor(width / 90))));
  return {
    type: "time",
    min: start,
    max: end,
    axisLine: { lineStyle: { color: c.line } },
    axisTick: { show: false },
    axisLabel: {
      color: c.muted,
      fontSize: 11,
      hideOverlap: true,
      customValues: [...labels.keys()],
      formatter: (value) => labels.get(Number(value)) || "",
    },
    splitLine: { show: false },
    ...extra,
  };
}
