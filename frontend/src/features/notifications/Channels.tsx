import { useQuery } from "@tanstack/react-query";
import { App as AntApp, Button, Form, Input, Modal, Popconfirm, Select, Space, Switch, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, take } from "@/lib/api";
import { time } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

export function Channels() {
  const { t } = useTranslation();
  const { message } = AntApp.useApp();
  const locale = usePreferences((preferences) => preferences.locale);
  const [adding, setAdding] = useState(false);
  const query = useQuery({ queryKey: ["channels"], queryFn: () => take(api.GET("/api/v1/notifications/channels")) });
  const remove = useAction(
    (channel_id: string) => take(api.DELETE("/api/v1/notifications/channels/{channel_id}", { params: { path: { channel_id } } })),
    { refresh: ["channels"] },
  );
  const change = useAction(
    ({ id, enabled }: { id: string; enabled: boolean }) =>
      take(api.PATCH("/api/v1/notifications/channels/{channel_id}", { params: { path: { channel_id: id } }, body: { enabled } })),
    { refresh: ["channels"] },
  );
  const test = useAction(
    (channel_id: string) => take(api.POST("/api/v1/notifications/channels/{channel_id}/test", { params: { path: { channel_id } } })),
    { refresh: ["channels"], then: (found) => void (found.delivered ? message.success(t("notifications.tested")) : message.error(found.error, 8)) },
  );
  return (
    <>
      <Button type="primary" style={{ marginBottom: 16 }} onClick={() => setAdding(true)}>
        {t("notifications.newChannel")}
      </Button>
      <Loaded query={query} empty={{ when: (rows) => rows.length === 0, text: t("notifications.noChannels") }}>
        {(rows) => (
          <Table
            rowKey="id"
            dataSource={rows}
            pagination={false}
            scroll={{ x: 760 }}
            columns={[
              { title: t("strategies.name"), dataIndex: "name" },
              { title: t("notifications.kind"), dataIndex: "kind" },
              {
                title: t("notifications.enabled"),
                render: (_, row) => <Switch checked={row.enabled} aria-label={row.name} onChange={(enabled) => change.mutate({ id: row.id, enabled })} />,
              },
              { title: t("notifications.lastSent"), render: (_, row) => time(row.last_sent_at, locale) },
              { title: t("notifications.error"), dataIndex: "last_error" },
              {
                title: t("app.actions"),
                render: (_, row) => (
                  <Space>
                    <Button size="small" loading={test.isPending} onClick={() => test.mutate(row.id)}>
                      {t("notifications.test")}
                    </Button>
                    <Popconfirm title={t("app.confirmDelete")} okText={t("app.delete")} cancelText={t("app.cancel")} onConfirm={() => remove.mutate(row.id)}>
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
      {adding && <NewChannel onClose={() => setAdding(false)} />}
    </>
  );
}

interface Fields {
  kind: string;
  name: string;
  config: Record<string, string>;
}

function NewChannel({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const [form] = Form.useForm<Fields>();
  const kinds = useQuery({ queryKey: ["channel-kinds"], queryFn: () => take(api.GET("/api/v1/notifications/kinds")), staleTime: Infinity });
  const kind = Form.useWatch("kind", form);
  const chosen = kinds.data?.find((one) => one.name === kind);
  const create = useAction(
    ({ config, ...fields }: Fields) => take(api.POST("/api/v1/notifications/channels", { body: { ...fields, config: Object.fromEntries(Object.entries(config ?? {}).filter(([, value]) => value)) } })),
    { refresh: ["channels"], then: onClose },
  );
  return (
    <Modal open title={t("notifications.newChannel")} okText={t("app.save")} cancelText={t("app.cancel")} confirmLoading={create.isPending} onCancel={onClose} onOk={() => form.submit()}>
      <Form<Fields> form={form} layout="vertical" requiredMark={false} onFinish={(fields) => create.mutate(fields)}>
        <Form.Item name="kind" label={t("notifications.kind")} rules={[{ required: true }]}>
          <Select
            loading={kinds.isPending}
            options={(kinds.data ?? []).map((one) => ({ value: one.name, label: one.label[locale] ?? one.name }))}
            onChange={(value: string) => !form.getFieldValue("name") && form.setFieldValue("name", value)}
          />
        </Form.Item>
        <Form.Item name="name" label={t("strategies.name")} rules={[{ required: true, max: 80 }]}>
          <Input />
        </Form.Item>
        {chosen?.fields.map((field) => (
          <Form.Item key={field.name} name={["config", field.name]} label={field.label[locale] ?? field.name} rules={[{ required: field.required }]}>
            {field.secret ? <Input.Password autoComplete="off" /> : <Input autoComplete="off" />}
          </Form.Item>
        ))}
      </Form>
    </Modal>
  );
}
