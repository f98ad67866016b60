import { python } from "@codemirror/lang-python";
import { useQuery } from "@tanstack/react-query";
import CodeMirror from "@uiw/react-codemirror";
import { Alert, Button, Popconfirm, Select, Table, Tabs, Typography } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router";

import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { RunBacktest } from "@/components/ui/RunBacktest";
import { api, type Schemas, take } from "@/lib/api";
import { time } from "@/lib/format";
import { isDark, usePreferences } from "@/lib/preferences";

type Detail = Schemas["StrategyDetail"];
interface Outline {
  name?: string;
  timeframe?: string;
  description?: string;
  parameters?: { name: string; default: unknown; low: unknown; high: unknown; choices: unknown[] | null }[];
}

export default function StrategyPage() {
  const { id = "" } = useParams();
  const query = useQuery({
    queryKey: ["strategies", id],
    queryFn: () => take(api.GET("/api/v1/strategies/{strategy_id}", { params: { path: { strategy_id: id } } })),
  });
  return (
    <Loaded query={query}>
      {(detail) => <Strategy key={detail.id} detail={detail} />}
    </Loaded>
  );
}

function Strategy({ detail }: { detail: Detail }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const path = { strategy_id: detail.id };
  const [running, setRunning] = useState(false);
  const change = useAction(
    (changes: Schemas["StrategyChange"]) => take(api.PATCH("/api/v1/strategies/{strategy_id}", { params: { path }, body: changes })),
    { refresh: ["strategies"] },
  );
  const remove = useAction(() => take(api.DELETE("/api/v1/strategies/{strategy_id}", { params: { path } })), {
    refresh: ["strategies"],
    then: () => void navigate("/strategies"),
  });
  return (
    <Page
      title={detail.name}
      actions={
        <>
          <Select<"draft" | "active" | "archived">
            value={detail.status as "draft"}
            aria-label={t("strategies.status")}
            onChange={(status) => change.mutate({ status })}
            options={(["draft", "active", "archived"] as const).map((value) => ({ value, label: t(`strategies.${value}`) }))}
          />
          <Popconfirm title={t("app.confirmDelete")} okText={t("app.delete")} cancelText={t("app.cancel")} onConfirm={() => remove.mutate(undefined)}>
            <Button danger>{t("app.delete")}</Button>
          </Popconfirm>
          <Button type="primary" disabled={detail.in_use.problem !== ""} onClick={() => setRunning(true)}>
            {t("strategies.run")}
          </Button>
        </>
      }
    >
      {detail.description && <Typography.Paragraph type="secondary">{detail.description}</Typography.Paragraph>}
      <Tabs
        items={[
          { key: "code", label: t("strategies.code"), children: <Editor detail={detail} /> },
          { key: "parameters", label: t("strategies.parameters"), children: <Parameters outline={detail.in_use.outline as Outline} /> },
          { key: "versions", label: t("strategies.versions"), children: <Versions detail={detail} onUse={(current) => change.mutate({ current })} /> },
        ]}
      />
      {running && <RunBacktest strategyId={detail.id} outline={detail.in_use.outline as Outline} onClose={() => setRunning(false)} />}
    </Page>
  );
}

function Editor({ detail }: { detail: Detail }) {
  const { t } = useTranslation();
  const theme = usePreferences((preferences) => preferences.theme);
  const [code, setCode] = useState(detail.in_use.code);
  useEffect(() => setCode(detail.in_use.code), [detail.in_use.code]);
  const [checked, setChecked] = useState<Schemas["CheckOut"] | null>(null);
  const check = useAction(() => take(api.POST("/api/v1/strategies/check", { body: { code } })), { then: setChecked });
  const save = useAction(
    () => take(api.POST("/api/v1/strategies/{strategy_id}/versions", { params: { path: { strategy_id: detail.id } }, body: { code, note: "" } })),
    { refresh: ["strategies"], done: (made) => t("strategies.saved", { number: made.number }) },
  );
  const problem = checked ? checked.problem : detail.in_use.problem;
  const outline = (checked?.outline ?? {}) as Outline;
  return (
    <>
      {problem && <Alert type="error" title={problem} role="alert" style={{ marginBottom: 12 }} />}
      {checked && !problem && (
        <Alert type="success" title={t("strategies.loads", { name: outline.name, timeframe: outline.timeframe })} style={{ marginBottom: 12 }} />
      )}
      <div className="editor">
        <CodeMirror
          value={code}
          height="min(62vh, 760px)"
          theme={isDark(theme) ? "dark" : "light"}
          extensions={[python()]}
          aria-label={t("strategies.code")}
          onChange={(value) => {
            setCode(value);
            setChecked(null);
          }}
        />
      </div>
      <div style={{ display: "flex", gap: 8, marginTop: 12 }}>
        <Button loading={check.isPending} onClick={() => check.mutate(undefined)}>
          {t("strategies.check")}
        </Button>
        <Button type="primary" disabled={code === detail.in_use.code} loading={save.isPending} onClick={() => save.mutate(undefined)}>
          {t("strategies.saveVersion")}
        </Button>
      </div>
    </>
  );
}

function Parameters({ outline }: { outline: Outline }) {
  const { t } = useTranslation();
  return (
    <Table
      rowKey="name"
      pagination={false}
      dataSource={outline.parameters ?? []}
      locale={{ emptyText: t("app.empty") }}
      columns={[
        { title: t("strategies.parameter"), dataIndex: "name" },
        { title: t("strategies.default"), render: (_, row) => String(row.default), className: "numbers" },
        {
          title: t("strategies.range"),
          className: "numbers",
          render: (_, row) => (row.choices ? row.choices.join(", ") : row.low === null && row.high === null ? "–" : `${String(row.low)} – ${String(row.high)}`),
        },
      ]}
    />
  );
}

function Versions({ detail, onUse }: { detail: Detail; onUse: (number: number) => void }) {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const path = { strategy_id: detail.id };
  const [compared, setCompared] = useState<number | null>(null);
  const versions = useQuery({
    queryKey: ["strategies", detail.id, "versions"],
    queryFn: () => take(api.GET("/api/v1/strategies/{strategy_id}/versions", { params: { path } })),
  });
  const diff = useQuery({
    queryKey: ["strategies", detail.id, "diff", compared],
    enabled: compared !== null,
    queryFn: () =>
      take(api.GET("/api/v1/strategies/{strategy_id}/diff", { params: { path, query: { old: (compared ?? 2) - 1, new: compared ?? 2 } } })),
  });
  return (
    <Loaded query={versions}>
      {(rows) => (
        <>
          <Table
            rowKey="number"
            pagination={false}
            dataSource={rows}
            scroll={{ x: 560 }}
            columns={[
              { title: t("strategies.version"), render: (_, row) => `${row.number}${row.number === detail.current ? ` (${t("strategies.inUse")})` : ""}` },
              { title: t("strategies.updated"), render: (_, row) => time(row.created_at, locale) },
              { title: t("strategies.note"), render: (_, row) => row.problem || row.note },
              {
                title: t("app.actions"),
                render: (_, row) => (
                  <>
                    {row.number !== detail.current && (
                      <Button size="small" type="link" onClick={() => onUse(row.number)}>
                        {t("strategies.use")}
                      </Button>
                    )}
                    {row.number > 1 && (
                      <Button size="small" type="link" onClick={() => setCompared(row.number)}>
                        {t("strategies.compare")}
                      </Button>
                    )}
                  </>
                ),
              },
            ]}
          />
          {compared !== null && diff.data && (
            <pre className="diff" style={{ marginTop: 16 }}>
              {diff.data.diff.split("\n").map((line, index) => (
                <div key={index} className={line.startsWith("+") ? "plus" : line.startsWith("-") ? "minus" : ""}>
                  {line || " "}
                </div>
              ))}
            </pre>
          )}
        </>
      )}
    </Loaded>
  );
}
