import { useQuery } from "@tanstack/react-query";
import { Button, Popconfirm, Space, Table } from "antd";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, take } from "@/lib/api";
import { bytes, time } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

export function Backups() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const query = useQuery({ queryKey: ["backups"], queryFn: () => take(api.GET("/api/v1/backups")) });
  const create = useAction(() => take(api.POST("/api/v1/backups")), { refresh: ["backups"], done: (made) => made.name });
  const verify = useAction((name: string) => take(api.POST("/api/v1/backups/{name}/verify", { params: { path: { name } } })), {
    done: (found) => t("settings.verified", { rows: Object.values(found.tables).reduce((sum, rows) => sum + rows, 0) }),
  });
  const remove = useAction((name: string) => take(api.DELETE("/api/v1/backups/{name}", { params: { path: { name } } })), { refresh: ["backups"] });
  return (
    <>
      <Button type="primary" style={{ marginBottom: 16 }} loading={create.isPending} onClick={() => create.mutate(undefined)}>
        {t("settings.backupNow")}
      </Button>
      <Loaded query={query} empty={{ when: (rows) => rows.length === 0, text: t("app.empty") }}>
        {(rows) => (
          <Table
            rowKey="name"
            pagination={false}
            dataSource={rows}
            scroll={{ x: 640 }}
            columns={[
              { title: t("strategies.name"), dataIndex: "name" },
              { title: t("settings.at"), render: (_, row) => time(row.created_at, locale) },
              { title: t("data.size"), align: "right", className: "numbers", render: (_, row) => bytes(row.size, locale) },
              {
                title: t("app.actions"),
                render: (_, row) => (
                  <Space>
                    <Button size="small" onClick={() => verify.mutate(row.name)}>
                      {t("strategies.check")}
                    </Button>
                    <Popconfirm title={t("app.confirmDelete")} okText={t("app.delete")} cancelText={t("app.cancel")} onConfirm={() => remove.mutate(row.name)}>
                      <Button size="small" danger>
                        {t("app.delete")}
                      </Button>
                    </Popconfirm>
                  </Space>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}
