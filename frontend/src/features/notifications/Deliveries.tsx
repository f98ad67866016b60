import { useQuery } from "@tanstack/react-query";
import { Button, Table, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, take } from "@/lib/api";
import { time } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

const COLOURS: Record<string, string> = { waiting: "processing", sending: "processing", sent: "success", dead: "error" };

export function Deliveries() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const query = useQuery({
    queryKey: ["deliveries"],
    queryFn: () => take(api.GET("/api/v1/notifications/deliveries", { params: { query: { limit: 100 } } })),
    refetchInterval: 10_000,
  });
  const channels = useQuery({ queryKey: ["channels"], queryFn: () => take(api.GET("/api/v1/notifications/channels")) });
  const names = new Map(channels.data?.map((one) => [one.id, one.name]));
  const retry = useAction(
    (delivery_id: string) => take(api.POST("/api/v1/notifications/deliveries/{delivery_id}/retry", { params: { path: { delivery_id } } })),
    { refresh: ["deliveries"] },
  );
  return (
    <Loaded query={query} empty={{ when: (rows) => rows.length === 0, text: t("app.empty") }}>
      {(rows) => (
        <Table
          rowKey="id"
          size="small"
          dataSource={rows}
          pagination={false}
          scroll={{ x: 640 }}
          columns={[
            { title: t("notifications.channel"), render: (_, row) => names.get(row.channel_id) ?? row.channel_id },
            { title: t("notifications.state"), render: (_, row) => <Tag color={COLOURS[row.status] ?? "default"}>{row.status}</Tag> },
            { title: t("notifications.attempts"), dataIndex: "attempts", className: "numbers" },
            { title: t("notifications.lastSent"), render: (_, row) => time(row.sent_at ?? row.next_at, locale) },
            { title: t("notifications.error"), dataIndex: "error" },
            {
              title: t("app.actions"),
              render: (_, row) =>
                row.status === "dead" && (
                  <Button size="small" onClick={() => retry.mutate(row.id)}>
                    {t("notifications.retry")}
                  </Button>
                ),
            },
          ]}
        />
      )}
    </Loaded>
  );
}
