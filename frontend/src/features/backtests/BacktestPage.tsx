import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Card, Col, Descriptions, Popconfirm, Progress, Row, Statistic, Table, Tabs } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router";

import { BacktestStatus } from "@/components/ui/BacktestTable";
import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, type Schemas, take } from "@/lib/api";
import { number, percent, time } from "@/lib/format";
import { useTopic } from "@/lib/live";
import { useMe } from "@/lib/me";
import { priceColours, usePreferences } from "@/lib/preferences";

type Detail = Schemas["BacktestDetail"];
interface Isolation {
  missing?: string[];
}

export default function BacktestPage() {
  const { id = "" } = useParams();
  const queries = useQueryClient();
  const me = useMe();
  const query = useQuery({
    queryKey: ["backtests", id],
    queryFn: () => take(api.GET("/api/v1/backtests/{backtest_id}", { params: { path: { backtest_id: id } } })),
  });
  useTopic(me.data ? `user:${me.data.id}:backtests` : null, (data) => {
    const message = data as { id: string; status: string; progress: number };
    if (message.id !== id) return;
    if (message.status === "running") {
      queries.setQueryData<Detail>(["backtests", id], (old) => old && { ...old, status: "running", progress: message.progress });
    } else void queries.invalidateQueries({ queryKey: ["backtests", id] });
  });
  return <Loaded query={query}>{(detail) => <Backtest detail={detail} />}</Loaded>;
}

function Backtest({ detail }: { detail: Detail }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const path = { backtest_id: detail.id };
  const ended = !["queued", "running"].includes(detail.status);
  const cancel = useAction(() => take(api.POST("/api/v1/backtests/{backtest_id}/cancel", { params: { path } })), { refresh: ["backtests"] });
  const remove = useAction(() => take(api.DELETE("/api/v1/backtests/{backtest_id}", { params: { path } })), {
    refresh: ["backtests"],
    then: () => void navigate("/backtests"),
  });
  return (
    <Page
      title={`${detail.strategy_name} v${detail.strategy_version}`}
      actions={
        <>
          <BacktestStatus status={detail.status} progress={detail.progress} />
          {ended ? (
            <Popconfirm title={t("app.confirmDelete")} okText={t("app.delete")} cancelText={t("app.cancel")} onConfirm={() => remove.mutate(undefined)}>
              <Button danger>{t("app.delete")}</Button>
            </Popconfirm>
          ) : (
            <Button onClick={() => cancel.mutate(undefined)}>{t("backtests.cancel")}</Button>
          )}
        </>
      }
    >
      {detail.status === "running" && <Progress percent={Math.round(detail.progress * 100)} status="active" />}
      {detail.error && <Alert type="error" title={detail.error} role="alert" style={{ marginBottom: 16 }} />}
      {detail.status === "done" && <Headline detail={detail} />}
      <Tabs
        key={detail.status}
        items={[
          ...(detail.status === "done"
            ? [
                { key: "report", label: t("backtests.report"), children: <Report id={detail.id} /> },
                { key: "statistics", label: t("backtests.statistics"), children: <Figures statistics={detail.statistics} /> },
              ]
            : []),
          { key: "request", label: t("backtests.request"), children: <Request detail={detail} /> },
          ...(ended ? [{ key: "output", label: t("backtests.output"), children: <Output id={detail.id} /> }] : []),
        ]}
      />
    </Page>
  );
}

function Headline({ detail }: { detail: Detail }) {
  const { t } = useTranslation();
  const { locale, candles } = usePreferences();
  const colours = priceColours(candles);
  const gained = (detail.total_return ?? 0) >= 0;
  const figures = [
    { title: t("backtests.return"), value: percent(detail.total_return, locale), colour: gained ? colours.up : colours.down },
    { title: t("backtests.sharpe"), value: number(detail.sharpe, locale) },
    { title: t("backtests.drawdown"), value: percent(detail.max_drawdown, locale) },
    { title: t("backtests.trades"), value: number(detail.trades, locale, 0) },
  ];
  return (
    <Row gutter={[12, 12]} style={{ marginBottom: 8 }}>
      {figures.map((figure) => (
        <Col xs={12} md={6} key={figure.title}>
          <Card size="small">
            <Statistic title={figure.title} value={figure.value} styles={{ content: { color: figure.colour ?? "inherit" } }} />
          </Card>
        </Col>
      ))}
    </Row>
  );
}

/** The report runs its own scripts, so it has an origin of its own and no rights of this page. */
function Report({ id }: { id: string }) {
  const { t } = useTranslation();
  const path = { backtest_id: id };
  const make = () => take(api.POST("/api/v1/backtests/{backtest_id}/report-link", { params: { path } }));
  const link = useQuery({ queryKey: ["backtests", id, "link"], queryFn: make, staleTime: Infinity, gcTime: 0 });
  const open = async () => void window.open((await make()).url, "_blank", "noopener");
  return (
    <Loaded query={link}>
      {({ url }) => (
        <>
          <iframe className="report" title={t("backtests.report")} sandbox="allow-scripts allow-downloads" src={url} />
          <p>
            <Button type="link" style={{ paddingInline: 0 }} onClick={() => void open()}>
              {t("backtests.openReport")}
            </Button>
          </p>
        </>
      )}
    </Loaded>
  );
}

function Figures({ statistics }: { statistics: Detail["statistics"] }) {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  return (
    <Table
      size="small"
      rowKey="name"
      pagination={false}
      scroll={{ y: 640 }}
      dataSource={Object.entries(statistics).map(([name, value]) => ({ name, value: value as number | null }))}
      columns={[
        { title: t("backtests.figure"), dataIndex: "name" },
        { title: t("backtests.value"), align: "right", className: "numbers", render: (_, row) => number(row.value, locale, 4) },
      ]}
    />
  );
}

function Request({ detail }: { detail: Detail }) {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const missing = (detail.isolation as Isolation).missing ?? [];
  return (
    <Descriptions
      bordered
      size="small"
      column={1}
      items={[
        ...Object.entries(detail.request)
          .filter(([, value]) => value !== null)
          .map(([name, value]) => ({ key: name, label: name, children: typeof value === "object" ? JSON.stringify(value) : String(value) })),
        { key: "started", label: t("backtests.created"), children: time(detail.started_at, locale) },
        { key: "run", label: "id", children: detail.run_id || "–" },
        {
          key: "isolation",
          label: t("backtests.isolation"),
          children: missing.length ? t("backtests.notFenced", { missing: missing.join("; ") }) : t("backtests.fenced"),
        },
      ]}
    />
  );
}

function Output({ id }: { id: string }) {
  const { t } = useTranslation();
  const output = useQuery({
    queryKey: ["backtests", id, "output"],
    queryFn: () => take(api.GET("/api/v1/backtests/{backtest_id}/output", { params: { path: { backtest_id: id } }, parseAs: "text" })) as Promise<string>,
  });
  return (
    <Loaded query={output} empty={{ when: (text) => text === "", text: t("app.empty") }}>
      {(text) => <pre className="diff">{text}</pre>}
    </Loaded>
  );
}
