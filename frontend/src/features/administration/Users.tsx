import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Card, Form, Input, Modal, Select, Table, Tag, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, type Schemas, take } from "@/lib/api";
import { time } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

const ROLES = ["trader", "developer", "administrator"].map((value) => ({ value, label: value }));

export function Users() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const [text, setText] = useState("");
  const query = useQuery({
    queryKey: ["users", text],
    queryFn: () => take(api.GET("/api/v1/users", { params: { query: { limit: 200, text } } })),
  });
  const change = useAction(
    ({ id, ...body }: { id: string; roles?: string[]; status?: "active" | "disabled" }) =>
      take(api.PATCH("/api/v1/users/{user_id}", { params: { path: { user_id: id } }, body })),
    { refresh: ["users"] },
  );
  return (
    <div style={{ display: "grid", gap: 16 }}>
      <Input.Search allowClear placeholder={t("app.search")} aria-label={t("app.search")} onSearch={setText} style={{ maxWidth: 320 }} />
      <Loaded query={query}>
        {(page) => (
          <Table
            rowKey="id"
            pagination={false}
            dataSource={page.items}
            scroll={{ x: 860 }}
            columns={[
              { title: t("auth.name"), dataIndex: "name" },
              { title: t("auth.email"), dataIndex: "email" },
              {
                title: t("settings.roles"),
                render: (_, row) => <Select mode="multiple" aria-label={`${t("settings.roles")} ${row.name}`} value={row.roles} options={ROLES} style={{ minWidth: 260 }} onChange={(roles: string[]) => change.mutate({ id: row.id, roles })} />,
              },
              { title: t("settings.secondFactor"), render: (_, row) => <Tag color={row.second_factor ? "success" : "default"}>{t(row.second_factor ? "settings.on" : "settings.off")}</Tag> },
              { title: t("settings.at"), render: (_, row) => time(row.created_at, locale) },
              {
                title: t("app.actions"),
                render: (_, row) => (
                  <Button size="small" danger={row.status === "active"} onClick={() => change.mutate({ id: row.id, status: row.status === "active" ? "disabled" : "active" })}>
                    {t(row.status === "active" ? "settings.disable" : "settings.enable")}
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Loaded>
      <Invitations />
    </div>
  );
}

function Invitations() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const [code, setCode] = useState("");
  const [asking, setAsking] = useState(false);
  const [form] = Form.useForm<{ roles: string[]; email?: string }>();
  const query = useQuery({ queryKey: ["invitations"], queryFn: () => take(api.GET("/api/v1/invitations")) });
  const invite = useAction(
    ({ roles, email }: { roles: string[]; email?: string }) => take(api.POST("/api/v1/invitations", { body: { roles, email: email || null, note: "" } })),
    {
      refresh: ["invitations"],
      then: (made: Schemas["NewInvitationOut"]) => {
        setAsking(false);
        setCode(made.code);
      },
    },
  );
  return (
    <Card title={t("settings.invitations")} extra={<Button onClick={() => setAsking(true)}>{t("settings.invite")}</Button>}>
      <Loaded query={query} empty={{ when: (rows) => rows.length === 0, text: t("app.empty") }}>
        {(rows) => (
          <Table
            rowKey="id"
            size="small"
            pagination={false}
            dataSource={rows}
            scroll={{ x: 560 }}
            columns={[
              { title: t("settings.roles"), render: (_, row) => row.roles.join(", ") },
              { title: t("auth.email"), render: (_, row) => row.email ?? "–" },
              { title: t("settings.expires"), render: (_, row) => time(row.expires_at, locale) },
              { title: t("settings.used"), render: (_, row) => time(row.used_at, locale) },
            ]}
          />
        )}
      </Loaded>
      <Modal open={asking} title={t("settings.invite")} okText={t("app.create")} cancelText={t("app.cancel")} onCancel={() => setAsking(false)} onOk={() => form.submit()}>
        <Form form={form} layout="vertical" requiredMark={false} initialValues={{ roles: ["developer"] }} onFinish={(fields) => invite.mutate(fields)}>
          <Form.Item name="roles" label={t("settings.roles")} rules={[{ required: true }]}>
            <Select mode="multiple" options={ROLES} />
          </Form.Item>
          <Form.Item name="email" label={t("auth.email")} rules={[{ type: "email" }]}>
            <Input />
          </Form.Item>
        </Form>
      </Modal>
      <Modal open={code !== ""} title={t("settings.invite")} footer={null} onCancel={() => setCode("")}>
        <Alert type="warning" title={t("app.shownOnce")} style={{ marginBottom: 12 }} />
        <Typography.Paragraph code copyable>
          {`${location.origin}/register?invitation=${code}`}
        </Typography.Paragraph>
      </Modal>
    </Card>
  );
}
