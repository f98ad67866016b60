import { Progress, Table, Tag } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import type { Schemas } from "@/lib/api";
import { number, percent, time } from "@/lib/format";
import { priceColours, usePreferences } from "@/lib/preferences";

type Backtest = Schemas["BacktestOut"];

const COLOURS: Record<string, string> = { queued: "default", running: "processing", done: "success", failed: "error", cancelled: "warning" };

export function BacktestStatus({ status, progress }: { status: string; progress: number }) {
  const { t } = useTranslation();
  if (status === "running") return <Progress percent={Math.round(progress * 100)} size="small" style={{ width: 110 }} aria-label={t("backtests.running")} />;
  return <Tag color={COLOURS[status] ?? "default"}>{t(`backtests.${status as "queued" | "done" | "failed" | "cancelled"}`)}</Tag>;
}

/** Backtests, newest first. */
export function BacktestTable({
  rows,
  chosen,
  onChoose,
}: {
  rows: Backtest[];
  chosen?: string[];
  onChoose?: (ids: string[]) => void;
}) {
  const { t } = useTranslation();
  const { locale, candles } = usePreferences();
  const colours = priceColours(candles);
  return (
    <Table<Backtest>
      rowKey="id"
      size="middle"
      dataSource={rows}
      pagination={false}
      scroll={{ x: 760 }}
      {...(onChoose ? { rowSelection: { selectedRowKeys: chosen ?? [], onChange: (keys) => onChoose(keys.map(String)) } } : {})}
      columns={[
        {
          title: t("backtests.strategy"),
          render: (_, row) => <Link to={`/backtests/${row.id}`}>{`${row.strategy_name} v${row.strategy_version}`}</Link>,
        },
        { title: t("backtests.data"), render: (_, row) => [row.request["data"]].flat().join(", ") },
        { title: t("backtests.status"), render: (_, row) => <BacktestStatus status={row.status} progress={row.progress} /> },
        {
          title: t("backtests.return"),
          align: "right",
          className: "numbers",
          render: (_, row) => (
            <span style={row.total_return === null ? {} : { color: row.total_return >= 0 ? colours.up : colours.down }}>
              {percent(row.total_return, locale)}
            </span>
          ),
        },
        { title: t("backtests.sharpe"), align: "right", className: "numbers", render: (_, row) => number(row.sharpe, locale) },
        { title: t("backtests.drawdown"), align: "right", className: "numbers", render: (_, row) => percent(row.max_drawdown, locale) },
        { title: t("backtests.trades"), align: "right", className: "numbers", render: (_, row) => number(row.trades, locale, 0) },
        { title: t("backtests.created"), render: (_, row) => time(row.created_at, locale) },
      ]}
    />
  );
}
