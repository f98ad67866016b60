import { useQuery } from "@tanstack/react-query";
import { Descriptions, Modal, Table, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/ui/States";
import { api, type Schemas, take } from "@/lib/api";
import { bytes, number, time } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

type Dataset = Schemas["DatasetOut"];

export default function DataPage() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const query = useQuery({ queryKey: ["data"], queryFn: () => take(api.GET("/api/v1/data")) });
  const [checked, setChecked] = useState<Dataset | null>(null);
  return (
    <Page title={t("data.title")}>
      <Loaded
        query={query}
        empty={{ when: (rows) => rows.length === 0, text: t("data.empty"), action: <Typography.Text type="secondary">{t("data.hint")}</Typography.Text> }}
      >
        {(rows) => (
          <Table<Dataset>
            rowKey={(row) => `${row.name} ${row.kind} ${row.timeframe}`}
            dataSource={rows}
            size="middle"
            scroll={{ x: 900 }}
            pagination={rows.length > 50 ? { pageSize: 50 } : false}
            columns={[
              {
                title: t("data.name"),
                sorter: (a, b) => a.name.localeCompare(b.name),
                render: (_, row) =>
                  row.kind === "bars" ? (
                    <Link to={`/data/chart?name=${encodeURIComponent(row.name)}&timeframe=${row.timeframe ?? ""}`}>{row.name}</Link>
                  ) : (
                    row.name
                  ),
              },
              { title: t("data.kind"), render: (_, row) => [row.kind, row.timeframe].filter(Boolean).join(" ") },
              { title: t("data.rows"), align: "right", className: "numbers", render: (_, row) => number(row.rows, locale, 0) },
              { title: t("data.first"), render: (_, row) => time(row.first, locale) },
              { title: t("data.last"), render: (_, row) => time(row.last, locale) },
              { title: t("data.size"), align: "right", className: "numbers", render: (_, row) => bytes(row.size, locale) },
              { title: t("data.missing"), align: "right", className: "numbers", render: (_, row) => number(row.missing, locale, 0) },
              {
                title: t("data.quality"),
                render: (_, row) => (row.kind === "bars" ? <a role="button" tabIndex={0} onClick={() => setChecked(row)} onKeyDown={(e) => e.key === "Enter" && setChecked(row)}>{t("data.quality")}</a> : "–"),
              },
            ]}
          />
        )}
      </Loaded>
      {checked && <Quality dataset={checked} onClose={() => setChecked(null)} />}
    </Page>
  );
}

interface Report {
  score: number;
  gaps: unknown[];
  missing: number;
  repeated: number;
  outliers: unknown[];
  zero_volume: number;
}

function Quality({ dataset, onClose }: { dataset: Dataset; onClose: () => void }) {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: ["data", "check", dataset.name, dataset.timeframe],
    queryFn: () => take(api.GET("/api/v1/data/check", { params: { query: { name: dataset.name, timeframe: dataset.timeframe ?? "" } } })),
  });
  return (
    <Modal open footer={null} title={`${dataset.name} ${dataset.timeframe ?? ""}`} onCancel={onClose}>
      <Loaded query={query}>
        {(found) => {
          const report = found as unknown as Report;
          return (
            <Descriptions
              bordered
              column={1}
              size="small"
              items={[
                { key: "score", label: t("data.score"), children: `${report.score} / 100` },
                { key: "gaps", label: t("data.gaps"), children: `${report.gaps.length} (${report.missing})` },
                { key: "repeated", label: t("data.repeated"), children: report.repeated },
                { key: "outliers", label: t("data.outliers"), children: report.outliers.length },
                { key: "zero", label: t("data.zeroVolume"), children: report.zero_volume },
              ]}
            />
          );
        }}
      </Loaded>
    </Modal>
  );
}
