import { useQuery } from "@tanstack/react-query";
import { Button, Checkbox, Form, Input, Modal, Popconfirm, Select, Space, Switch, Table, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, type Schemas, take } from "@/lib/api";
import { time } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

const EXCHANGES = ["gate", "binance", "binanceusdm", "okx", "bybit", "bitget", "kucoin", "kraken"];

export function ExchangeKeys() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const [adding, setAdding] = useState(false);
  const query = useQuery({ queryKey: ["credentials"], queryFn: () => take(api.GET("/api/v1/credentials")) });
  const remove = useAction(
    (credential_id: string) => take(api.DELETE("/api/v1/credentials/{credential_id}", { params: { path: { credential_id } } })),
    { refresh: ["credentials"] },
  );
  return (
    <>
      <Button type="primary" style={{ marginBottom: 16 }} onClick={() => setAdding(true)}>
        {t("settings.newCredential")}
      </Button>
      <Loaded query={query} empty={{ when: (rows) => rows.length === 0, text: t("app.empty") }}>
        {(rows) => (
          <Table
            rowKey="id"
            pagination={false}
            dataSource={rows}
            scroll={{ x: 760 }}
            columns={[
              { title: t("strategies.name"), dataIndex: "name" },
              { title: t("settings.exchange"), render: (_, row) => <Space>{row.exchange}{row.testnet && <Tag>{t("settings.testnet")}</Tag>}</Space> },
              { title: t("settings.key"), dataIndex: "key_hint", className: "numbers" },
              { title: t("settings.permissions"), render: (_, row) => row.permissions.map((one) => <Tag key={one} color={one === "withdraw" ? "red" : "default"}>{one}</Tag>) },
              { title: t("settings.checked"), render: (_, row) => (row.checked_at ? time(row.checked_at, locale) : row.check_result) },
              {
                title: t("app.actions"),
                render: (_, row) => (
                  <Popconfirm title={t("app.confirmDelete")} okText={t("app.delete")} cancelText={t("app.cancel")} onConfirm={() => remove.mutate(row.id)}>
                    <Button size="small" danger>
                      {t("app.delete")}
                    </Button>
                  </Popconfirm>
                ),
              },
            ]}
          />
        )}
      </Loaded>
      {adding && <NewCredential onClose={() => setAdding(false)} />}
    </>
  );
}

function NewCredential({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<Schemas["CredentialIn"]>();
  const create = useAction((body: Schemas["CredentialIn"]) => take(api.POST("/api/v1/credentials", { body })), { refresh: ["credentials"], then: onClose });
  return (
    <Modal open title={t("settings.newCredential")} okText={t("app.save")} cancelText={t("app.cancel")} confirmLoading={create.isPending} onCancel={onClose} onOk={() => form.submit()}>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ testnet: false, allow_withdrawal: false, passphrase: "" }} onFinish={(fields) => create.mutate(fields)}>
        <Form.Item name="name" label={t("strategies.name")} rules={[{ required: true, max: 80 }]}>
          <Input />
        </Form.Item>
        <Form.Item name="exchange" label={t("settings.exchange")} rules={[{ required: true }]}>
          <Select showSearch options={EXCHANGES.map((value) => ({ value, label: value }))} />
        </Form.Item>
        <Form.Item name="api_key" label={t("settings.apiKey")} rules={[{ required: true }]}>
          <Input.Password autoComplete="off" />
        </Form.Item>
        <Form.Item name="api_secret" label={t("settings.apiSecret")} rules={[{ required: true }]}>
          <Input.Password autoComplete="off" />
        </Form.Item>
        <Form.Item name="passphrase" label={t("settings.passphrase")}>
          <Input.Password autoComplete="off" />
        </Form.Item>
        <Form.Item name="testnet" label={t("settings.testnet")} valuePropName="checked">
          <Switch />
        </Form.Item>
        <Form.Item name="allow_withdrawal" valuePropName="checked" style={{ marginBottom: 0 }}>
          <Checkbox>{t("settings.withdraw")}</Checkbox>
        </Form.Item>
      </Form>
    </Modal>
  );
}
