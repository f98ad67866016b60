import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Modal, Select, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { BacktestTable } from "@/components/ui/BacktestTable";
import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/ui/States";
import { api, take } from "@/lib/api";
import { number } from "@/lib/format";
import { useTopic } from "@/lib/live";
import { useMe } from "@/lib/me";
import { usePreferences } from "@/lib/preferences";

const STATES = ["queued", "running", "done", "failed", "cancelled"] as const;

export default function BacktestsPage() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const me = useMe();
  const [status, setStatus] = useState("");
  const [chosen, setChosen] = useState<string[]>([]);
  const [comparing, setComparing] = useState(false);
  const list = useQuery({
    queryKey: ["backtests", "list", status],
    queryFn: () => take(api.GET("/api/v1/backtests", { params: { query: { limit: 100, status } } })),
  });
  useTopic(me.data ? `user:${me.data.id}:backtests` : null, () => void queries.invalidateQueries({ queryKey: ["backtests", "list"] }));
  return (
    <Page
      title={t("backtests.title")}
      actions={
        <>
          <Select
            allowClear
            placeholder={t("backtests.status")}
            aria-label={t("backtests.status")}
            style={{ width: 140 }}
            onChange={(value?: string) => setStatus(value ?? "")}
            options={STATES.map((value) => ({ value, label: t(`backtests.${value}`) }))}
          />
          <Button disabled={chosen.length < 2} onClick={() => setComparing(true)}>
            {t("backtests.compare")}
          </Button>
        </>
      }
    >
      <Loaded query={list} empty={{ when: (page) => page.items.length === 0, text: t("backtests.empty") }}>
        {(page) => <BacktestTable rows={page.items} chosen={chosen} onChoose={setChosen} />}
      </Loaded>
      {comparing && <Comparison ids={chosen} onClose={() => setComparing(false)} />}
    </Page>
  );
}

function Comparison({ ids, onClose }: { ids: string[]; onClose: () => void }) {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const query = useQuery({
    queryKey: ["backtests", "compare", ids],
    queryFn: () => take(api.GET("/api/v1/backtests/compare", { params: { query: { ids } } })),
  });
  return (
    <Modal open footer={null} width={900} title={t("backtests.compare")} onCancel={onClose}>
      <Loaded query={query}>
        {(rows) => (
          <Table
            size="small"
            rowKey="name"
            pagination={false}
            scroll={{ x: true, y: 520 }}
            dataSource={Object.keys(rows[0]?.statistics ?? {}).map((name) => ({ name }))}
            columns={[
              { title: t("backtests.figure"), dataIndex: "name", fixed: "left" },
              ...rows.map((row) => ({
                title: `${row.strategy_name} v${row.strategy_version}`,
                key: row.id,
                className: "numbers",
                align: "right" as const,
                render: (_: unknown, { name }: { name: string }) => number(row.statistics[name] as number | null, locale, 4),
              })),
            ]}
          />
        )}
      </Loaded>
    </Modal>
  );
}
