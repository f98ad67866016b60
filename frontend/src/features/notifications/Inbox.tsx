import { useQuery } from "@tanstack/react-query";
import { Button, Card, Select, Space, Switch, Tag, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, take } from "@/lib/api";
import { time } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

const COLOURS: Record<string, string> = { info: "blue", warning: "gold", critical: "red" };
type Severity = "info" | "warning" | "critical";

export function Inbox() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const [unread, setUnread] = useState(false);
  const [severity, setSeverity] = useState("");
  const query = useQuery({
    queryKey: ["notifications", "inbox", unread, severity],
    queryFn: () => take(api.GET("/api/v1/notifications", { params: { query: { limit: 100, unread, severity } } })),
  });
  const mark = useAction(
    (body: { ids: string[]; acknowledge: boolean }) => take(api.POST("/api/v1/notifications/mark", { body })),
    { refresh: ["notifications"] },
  );
  return (
    <>
      <Space wrap style={{ marginBottom: 16 }}>
        <Switch checked={unread} onChange={setUnread} checkedChildren={t("notifications.unread")} unCheckedChildren={t("notifications.unread")} aria-label={t("notifications.unread")} />
        <Select
          allowClear
          placeholder={t("notifications.least")}
          aria-label={t("notifications.least")}
          style={{ width: 160 }}
          onChange={(value?: string) => setSeverity(value ?? "")}
          options={(["info", "warning", "critical"] as const).map((value) => ({ value, label: t(`notifications.${value}`) }))}
        />
        <Button onClick={() => mark.mutate({ ids: [], acknowledge: false })}>{t("notifications.markAll")}</Button>
      </Space>
      <Loaded query={query} empty={{ when: (page) => page.items.length === 0, text: t("notifications.empty") }}>
        {(page) =>
          page.items.map((item) => (
            <Card key={item.id} size="small" style={{ marginBottom: 8 }}>
              <div style={{ display: "flex", gap: 12, flexWrap: "wrap", alignItems: "baseline" }}>
                <Tag color={COLOURS[item.severity] ?? "default"}>{t(`notifications.${item.severity as Severity}`)}</Tag>
                <Typography.Text strong={item.read_at === null} style={{ flex: 1, minWidth: 180 }}>
                  {item.title}
                </Typography.Text>
                <Typography.Text type="secondary">{time(item.created_at, locale)}</Typography.Text>
                {item.severity === "critical" && item.acknowledged_at === null && (
                  <Button size="small" onClick={() => mark.mutate({ ids: [item.id], acknowledge: true })}>
                    {t("notifications.acknowledge")}
                  </Button>
                )}
              </div>
              <Typography.Paragraph style={{ margin: "6px 0 0" }}>{item.body}</Typography.Paragraph>
            </Card>
          ))
        }
      </Loaded>
    </>
  );
}
