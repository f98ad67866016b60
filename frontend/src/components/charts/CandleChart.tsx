import { dispose, init } from "klinecharts";
import { useEffect, useRef } from "react";

import { api, take } from "@/lib/api";
import { isDark, priceColours, usePreferences } from "@/lib/preferences";

const PAGE = 1_000;

const PERIODS = { s: "second", m: "minute", h: "hour", d: "day", w: "week", M: "month" } as const;

/** Candles of stored bars; older ones are loaded as the chart is moved. */
export function CandleChart({ name, timeframe }: { name: string; timeframe: string }) {
  const box = useRef<HTMLDivElement>(null);
  const { theme, candles, locale } = usePreferences();
  useEffect(() => {
    if (!box.current) return;
    const element = box.current;
    const colours = priceColours(candles);
    const chart = init(element, { locale: locale === "zh-CN" ? "zh-CN" : "en-US" });
    if (!chart) return;
    chart.setStyles(isDark(theme) ? "dark" : "light");
    const bar = { upColor: colours.up, downColor: colours.down, noChangeColor: "#888" };
    chart.setStyles({
      candle: {
        bar: { ...bar, upBorderColor: colours.up, downBorderColor: colours.down, upWickColor: colours.up, downWickColor: colours.down },
        priceMark: { last: bar },
      },
    });
    chart.setSymbol({ ticker: name, pricePrecision: 2, volumePrecision: 3 });
    const [, span = "1", unit = "h"] = /^(\d+)(\w)$/.exec(timeframe) ?? [];
    chart.setPeriod({ span: Number(span), type: PERIODS[unit as keyof typeof PERIODS] ?? "hour" });
    chart.setDataLoader({
      getBars: ({ type, timestamp, callback }) => {
        if (type === "update") return;
        const query = { name, timeframe, limit: PAGE, ...(type === "init" || timestamp === null ? {} : { until: timestamp }) };
        take(api.GET("/api/v1/data/bars", { params: { query } })).then(
          (bars) => {
            const rows = bars.ts.map((ts, i) => ({
              timestamp: ts,
              open: bars.open[i] ?? NaN,
              high: bars.high[i] ?? NaN,
              low: bars.low[i] ?? NaN,
              close: bars.close[i] ?? NaN,
              volume: bars.volume[i] ?? 0,
            }));
            callback(rows, { forward: bars.more, backward: false });
          },
          () => callback([], false),
        );
      },
    });
    chart.createIndicator({ name: "MA", paneId: "candle_pane" });
    chart.createIndicator("VOL");
    const watcher = new ResizeObserver(() => chart.resize());
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      dispose(element);
    };
  }, [name, timeframe, theme, candles, locale]);
  return <div ref={box} className="chart" role="img" aria-label={`${name} ${timeframe}`} />;
}
