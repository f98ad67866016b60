import { useQuery } from "@tanstack/react-query";
import { Alert, Card, Col, Row, Statistic, Table, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { api, take } from "@/lib/api";
import { number, percent } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  return days ? `${days} d ${hours} h` : hours ? `${hours} h ${minutes} min` : `${minutes} min`;
}

export function System() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const query = useQuery({ queryKey: ["system"], queryFn: () => take(api.GET("/api/v1/system")), refetchInterval: 15_000 });
  return (
    <Loaded query={query}>
      {(found) => (
        <>
          {!found.ready && <Alert type="error" title={Object.entries(found.failures).map(([name, why]) => `${name}: ${why}`).join(", ")} style={{ marginBottom: 16 }} />}
          <Row gutter={[12, 12]}>
            {[
              [t("settings.uptime"), duration(found.uptime_s)],
              [t("settings.availabilityDay"), percent(found.availability_24h, locale)],
              [t("settings.availabilityMonth"), percent(found.availability_30d, locale)],
              [t("settings.memory"), `${number(found.memory_mb, locale, 0)} MB`],
              [t("settings.disk"), `${number(found.disk_free_gb, locale, 1)} GB`],
              ["CashUp", `${found.version} · ${found.database}`],
            ].map(([title, value]) => (
              <Col xs={12} md={8} xl={4} key={title}>
                <Card size="small">
                  <Statistic title={title} value={value ?? ""} styles={{ content: { fontSize: 18 } }} />
                </Card>
              </Col>
            ))}
          </Row>
          <Card title={t("settings.tasks")} style={{ marginTop: 16 }} styles={{ body: { padding: 0 } }}>
            <Table
              rowKey="name"
              size="small"
              pagination={false}
              dataSource={found.tasks}
              scroll={{ x: 480 }}
              columns={[
                { title: t("strategies.name"), dataIndex: "name" },
                { title: t("notifications.state"), render: (_, row) => <Tag color={row.running ? "success" : "error"}>{row.running ? t("settings.on") : t("settings.off")}</Tag> },
                { title: t("settings.restarts"), dataIndex: "restarts", className: "numbers" },
                { title: t("notifications.error"), dataIndex: "last_error" },
              ]}
            />
          </Card>
        </>
      )}
    </Loaded>
  );
}
