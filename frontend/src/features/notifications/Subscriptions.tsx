import { useQuery } from "@tanstack/react-query";
import { Button, Form, Input, InputNumber, Modal, Popconfirm, Select, Switch, Table, Tag, TimePicker } from "antd";
import type { Dayjs } from "dayjs";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, type Schemas, take } from "@/lib/api";
import { useMe } from "@/lib/me";
import { usePreferences } from "@/lib/preferences";

type Severity = "info" | "warning" | "critical";

export function Subscriptions() {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const query = useQuery({ queryKey: ["subscriptions"], queryFn: () => take(api.GET("/api/v1/notifications/subscriptions")) });
  const channels = useQuery({ queryKey: ["channels"], queryFn: () => take(api.GET("/api/v1/notifications/channels")) });
  const names = new Map(channels.data?.map((one) => [one.id, one.name]));
  const remove = useAction(
    (subscription_id: string) => take(api.DELETE("/api/v1/notifications/subscriptions/{subscription_id}", { params: { path: { subscription_id } } })),
    { refresh: ["subscriptions"] },
  );
  const change = useAction(
    ({ id, ...body }: Schemas["SubscriptionOut"]) =>
      take(api.PUT("/api/v1/notifications/subscriptions/{subscription_id}", { params: { path: { subscription_id: id } }, body })),
    { refresh: ["subscriptions"] },
  );
  return (
    <>
      <Button type="primary" style={{ marginBottom: 16 }} onClick={() => setAdding(true)}>
        {t("notifications.newSubscription")}
      </Button>
      <Loaded query={query} empty={{ when: (rows) => rows.length === 0, text: t("notifications.noSubscriptions") }}>
        {(rows) => (
          <Table
            rowKey="id"
            dataSource={rows}
            pagination={false}
            scroll={{ x: 760 }}
            columns={[
              { title: t("strategies.name"), dataIndex: "name" },
              { title: t("notifications.events"), render: (_, row) => row.events.map((event) => <Tag key={event}>{event}</Tag>) },
              { title: t("notifications.least"), render: (_, row) => t(`notifications.${row.least as Severity}`) },
              { title: t("notifications.channels"), render: (_, row) => row.channel_ids.map((id) => names.get(id) ?? id).join(", ") },
              { title: t("notifications.enabled"), render: (_, row) => <Switch aria-label={row.name} checked={row.enabled} onChange={(enabled) => change.mutate({ ...row, enabled })} /> },
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
      {adding && <NewSubscription channels={channels.data ?? []} onClose={() => setAdding(false)} />}
    </>
  );
}

interface Fields {
  name: string;
  events: string[];
  least: Severity;
  channel_ids: string[];
  quiet?: [Dayjs, Dayjs] | null;
  digest_minutes: number;
}

function minute(moment: Dayjs | undefined): number | null {
  return moment ? moment.hour() * 60 + moment.minute() : null;
}

function NewSubscription({ channels, onClose }: { channels: Schemas["ChannelOut"][]; onClose: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const locale = usePreferences((preferences) => preferences.locale);
  const [form] = Form.useForm<Fields>();
  const events = useQuery({ queryKey: ["events"], queryFn: () => take(api.GET("/api/v1/notifications/events")), staleTime: Infinity });
  const create = useAction(
    ({ quiet, ...fields }: Fields) =>
      take(
        api.POST("/api/v1/notifications/subscriptions", {
          body: {
            ...fields,
            strategy_id: "",
            quiet_from: minute(quiet?.[0]),
            quiet_until: minute(quiet?.[1]),
            time_zone: me.data?.time_zone ?? "UTC",
            per_hour: 0,
            escalate_minutes: 0,
            escalate_to: [],
            enabled: true,
          },
        }),
      ),
    { refresh: ["subscriptions"], then: onClose },
  );
  return (
    <Modal open title={t("notifications.newSubscription")} okText={t("app.save")} cancelText={t("app.cancel")} confirmLoading={create.isPending} onCancel={onClose} onOk={() => form.submit()}>
      <Form<Fields> form={form} layout="vertical" requiredMark={false} initialValues={{ events: ["*"], least: "info", digest_minutes: 0 }} onFinish={(fields) => create.mutate(fields)}>
        <Form.Item name="name" label={t("strategies.name")} rules={[{ required: true, max: 80 }]}>
          <Input />
        </Form.Item>
        <Form.Item name="events" label={t("notifications.events")} rules={[{ required: true }]}>
          <Select
            mode="tags"
            options={[{ value: "*", label: "*" }, ...(events.data ?? []).map((one) => ({ value: one.name, label: `${one.name} – ${one.label[locale] ?? ""}` }))]}
          />
        </Form.Item>
        <Form.Item name="least" label={t("notifications.least")}>
          <Select options={(["info", "warning", "critical"] as const).map((value) => ({ value, label: t(`notifications.${value}`) }))} />
        </Form.Item>
        <Form.Item name="channel_ids" label={t("notifications.channels")} rules={[{ required: true }]}>
          <Select mode="multiple" options={channels.map((one) => ({ value: one.id, label: one.name }))} />
        </Form.Item>
        <Form.Item name="quiet" label={t("notifications.quiet")}>
          <TimePicker.RangePicker format="HH:mm" order={false} style={{ width: "100%" }} />
        </Form.Item>
        <Form.Item name="digest_minutes" label={t("notifications.digest")}>
          <InputNumber min={0} max={1440} style={{ width: "100%" }} />
        </Form.Item>
      </Form>
    </Modal>
  );
}
