import { useQuery } from "@tanstack/react-query";
import { Alert, Button, DatePicker, Form, Input, Modal, Popconfirm, Select, Switch, Table, Tag, Typography } from "antd";
import type { Dayjs } from "dayjs";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, type Schemas, take } from "@/lib/api";
import { time } from "@/lib/format";
import { useMe } from "@/lib/me";
import { usePreferences } from "@/lib/preferences";

export function ApiKeys() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<Schemas["NewApiKeyOut"] | null>(null);
  const query = useQuery({ queryKey: ["api-keys"], queryFn: () => take(api.GET("/api/v1/api-keys")) });
  const revoke = useAction((key_id: string) => take(api.DELETE("/api/v1/api-keys/{key_id}", { params: { path: { key_id } } })), { refresh: ["api-keys"] });
  return (
    <>
      <Button type="primary" style={{ marginBottom: 16 }} onClick={() => setAdding(true)}>
        {t("settings.newKey")}
      </Button>
      <Loaded query={query} empty={{ when: (rows) => rows.length === 0, text: t("app.empty") }}>
        {(rows) => (
          <Table
            rowKey="id"
            pagination={false}
            dataSource={rows}
            scroll={{ x: 860 }}
            columns={[
              { title: t("strategies.name"), dataIndex: "name" },
              { title: t("settings.scopes"), render: (_, row) => row.scopes.map((scope) => <Tag key={scope}>{scope}</Tag>) },
              { title: t("settings.networks"), render: (_, row) => row.addresses.join(", ") || "–" },
              { title: t("settings.expires"), render: (_, row) => time(row.expires_at, locale) },
              { title: t("settings.used"), render: (_, row) => time(row.used_at, locale) },
              {
                title: t("app.actions"),
                render: (_, row) =>
                  row.revoked_at ? (
                    <Tag>{t("settings.revoked")}</Tag>
                  ) : (
                    <Popconfirm title={t("settings.revoke")} okText={t("settings.revoke")} cancelText={t("app.cancel")} onConfirm={() => revoke.mutate(row.id)}>
                      <Button size="small" danger>
                        {t("settings.revoke")}
                      </Button>
                    </Popconfirm>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
      {adding && (
        <NewKey
          onClose={() => setAdding(false)}
          onMade={(key) => {
            setAdding(false);
            setMade(key);
          }}
        />
      )}
      <Modal open={made !== null} title={made?.name} footer={null} onCancel={() => setMade(null)}>
        <Alert type="warning" title={t("app.shownOnce")} style={{ marginBottom: 12 }} />
        <Typography.Paragraph code copyable>
          {made?.key}
        </Typography.Paragraph>
        {made?.secret && (
          <Typography.Paragraph code copyable>
            {made.secret}
          </Typography.Paragraph>
        )}
      </Modal>
    </>
  );
}

interface Fields {
  name: string;
  scopes: string[];
  addresses?: string[];
  expires?: Dayjs | null;
  signed?: boolean;
}

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: Schemas["NewApiKeyOut"]) => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const [form] = Form.useForm<Fields>();
  const create = useAction(
    (fields: Fields) =>
      take(
        api.POST("/api/v1/api-keys", {
          body: {
            name: fields.name,
            scopes: fields.scopes,
            addresses: fields.addresses ?? [],
            expires_at: fields.expires?.endOf("day").toISOString() ?? null,
            signed: fields.signed ?? false,
          },
        }),
      ),
    { refresh: ["api-keys"], then: onMade },
  );
  return (
    <Modal open title={t("settings.newKey")} okText={t("app.create")} cancelText={t("app.cancel")} confirmLoading={create.isPending} onCancel={onClose} onOk={() => form.submit()}>
      <Form<Fields> form={form} layout="vertical" requiredMark={false} onFinish={(fields) => create.mutate(fields)}>
        <Form.Item name="name" label={t("strategies.name")} rules={[{ required: true, max: 80 }]}>
          <Input />
        </Form.Item>
        <Form.Item name="scopes" label={t("settings.scopes")} rules={[{ required: true }]}>
          <Select mode="multiple" options={(me.data?.permissions ?? []).map((value) => ({ value, label: value }))} />
        </Form.Item>
        <Form.Item name="addresses" label={t("settings.networks")}>
          <Select mode="tags" open={false} placeholder="203.0.113.0/24" />
        </Form.Item>
        <Form.Item name="expires" label={t("settings.expires")}>
          <DatePicker style={{ width: "100%" }} />
        </Form.Item>
        <Form.Item name="signed" label={t("settings.signed")} valuePropName="checked">
          <Switch />
        </Form.Item>
      </Form>
    </Modal>
  );
}
