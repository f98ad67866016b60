import { Card, Segmented } from "antd";
import { useSearchParams } from "react-router";

import { CandleChart } from "@/components/charts/CandleChart";
import { Page } from "@/components/ui/Page";

const FRAMES = ["1m", "5m", "15m", "1h", "4h", "1d"];

function minutes(frame: string): number {
  const units: Record<string, number> = { m: 1, h: 60, d: 1440, w: 10_080 };
  return Number.parseInt(frame, 10) * (units[frame.slice(-1)] ?? 1);
}

export default function ChartPage() {
  const [query, setQuery] = useSearchParams();
  const name = query.get("name") ?? "";
  const stored = query.get("stored") ?? query.get("timeframe") ?? "1h";
  const timeframe = query.get("timeframe") ?? "1h";
  const fitting = FRAMES.filter((frame) => minutes(frame) % minutes(stored) === 0);
  return (
    <Page
      title={name}
      actions={
        <Segmented
          value={timeframe}
          options={fitting.includes(timeframe) ? fitting : [timeframe, ...fitting]}
          onChange={(frame) => setQuery({ name, timeframe: frame, stored })}
        />
      }
    >
      <Card styles={{ body: { padding: 8 } }}>
        <CandleChart key={`${name} ${timeframe}`} name={name} timeframe={timeframe} />
      </Card>
    </Page>
  );
}
