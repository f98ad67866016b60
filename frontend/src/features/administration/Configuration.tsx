import { useQuery } from "@tanstack/react-query";
import { Button, Card, Form, Input, Modal, Popconfirm, Table, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, type Schemas, take } from "@/lib/api";
import { time } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

type Setting = Schemas["SettingOut"];

export function Configuration() {
  const { t } = useTranslation();
  const [editing, setEditing] = useState<Setting | null>(null);
  const query = useQuery({ queryKey: ["configuration"], queryFn: () => take(api.GET("/api/v1/settings")) });
  return (
    <div style={{ display: "grid", gap: 16 }}>
      <Loaded query={query}>
        {(rows) => (
          <Table
            rowKey="name"
            size="small"
            pagination={false}
            dataSource={rows}
            scroll={{ x: 760 }}
            columns={[
              { title: t("settings.setting"), dataIndex: "name" },
              { title: t("settings.value"), render: (_, row) => String(row.value ?? ""), className: "numbers" },
              { title: t("strategies.default"), render: (_, row) => String(row.default ?? ""), className: "numbers" },
              { title: t("settings.origin"), render: (_, row) => <Tag>{row.origin}</Tag> },
              {
                title: t("app.actions"),
                render: (_, row) =>
                  row.change !== "file" && (
                    <Button size="small" onClick={() => setEditing(row)}>
                      {t("strategies.use")}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
      <Versions />
      {editing && <Edit setting={editing} onClose={() => setEditing(null)} />}
    </div>
  );
}

function Edit({ setting, onClose }: { setting: Setting; onClose: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<{ value: string; reason: string }>();
  const save = useAction(
    ({ value, reason }: { value: string; reason: string }) =>
      take(api.PATCH("/api/v1/settings", { body: { changes: { [setting.name]: value === "" ? null : value }, reason } })),
    { refresh: ["configuration"], done: t("settings.changed"), then: onClose },
  );
  return (
    <Modal open title={setting.name} okText={t("app.save")} cancelText={t("app.cancel")} confirmLoading={save.isPending} onCancel={onClose} onOk={() => form.submit()}>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ value: String(setting.value ?? "") }} onFinish={(fields) => save.mutate(fields)}>
        <Form.Item name="value" label={t("settings.value")} extra={`${t("strategies.default")}: ${String(setting.default)}`}>
          <Input />
        </Form.Item>
        <Form.Item name="reason" label={t("settings.reason")} rules={[{ required: true, max: 200 }]}>
          <Input />
        </Form.Item>
      </Form>
    </Modal>
  );
}

function Versions() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const query = useQuery({ queryKey: ["configuration", "versions"], queryFn: () => take(api.GET("/api/v1/settings/versions")) });
  const rollBack = useAction(
    (version: number) => take(api.POST("/api/v1/settings/rollback", { body: { version, reason: `version ${version}` } })),
    { refresh: ["configuration"], done: t("settings.changed") },
  );
  return (
    <Card title={t("settings.versions")}>
      <Loaded query={query} empty={{ when: (rows) => rows.length === 0, text: t("app.empty") }}>
        {(rows) => (
          <Table
            rowKey="version"
            size="small"
            pagination={false}
            dataSource={rows}
            scroll={{ x: 640 }}
            columns={[
              { title: t("strategies.version"), dataIndex: "version", className: "numbers" },
              { title: t("settings.at"), render: (_, row) => time(row.created_at, locale) },
              { title: t("settings.reason"), dataIndex: "reason" },
              { title: t("settings.value"), render: (_, row) => JSON.stringify(row.overrides) },
              {
                title: t("app.actions"),
                render: (_, row, index) =>
                  index > 0 && (
                    <Popconfirm title={t("settings.rollBack")} okText={t("settings.confirm")} cancelText={t("app.cancel")} onConfirm={() => rollBack.mutate(row.version)}>
                      <Button size="small">{t("settings.rollBack")}</Button>
                    </Popconfirm>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}
