import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Card, Form, Input, Modal, Table, Tag, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, take } from "@/lib/api";
import { time } from "@/lib/format";
import { useMe } from "@/lib/me";
import { usePreferences } from "@/lib/preferences";
import { useSession } from "@/lib/session";

export function Security() {
  return (
    <div style={{ display: "grid", gap: 16 }}>
      <div style={{ display: "grid", gap: 16, gridTemplateColumns: "repeat(auto-fit, minmax(280px, 1fr))" }}>
        <Password />
        <SecondFactor />
      </div>
      <Sessions />
      <Logins />
    </div>
  );
}

function Password() {
  const { t } = useTranslation();
  const [form] = Form.useForm<{ current: string; new: string }>();
  const change = useAction((body: { current: string; new: string }) => take(api.POST("/api/v1/auth/password/change", { body })), {
    done: t("settings.changed"),
    then: () => form.resetFields(),
  });
  return (
    <Card title={t("settings.changePassword")}>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(fields) => change.mutate(fields)}>
        <Form.Item name="current" label={t("settings.current")} rules={[{ required: true }]}>
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        <Form.Item name="new" label={t("auth.newPassword")} rules={[{ required: true, min: 10 }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={change.isPending}>
          {t("app.save")}
        </Button>
      </Form>
    </Card>
  );
}

function SecondFactor() {
  const { t } = useTranslation();
  const me = useMe();
  const [setup, setSetup] = useState<{ secret: string; link: string } | null>(null);
  const [codes, setCodes] = useState<string[]>([]);
  const begin = useAction((body: { password: string }) => take(api.POST("/api/v1/auth/totp/begin", { body })), { then: setSetup });
  const confirm = useAction((body: { code: string }) => take(api.POST("/api/v1/auth/totp/confirm", { body })), {
    refresh: ["me"],
    then: (found) => {
      setSetup(null);
      setCodes(found.codes);
    },
  });
  const disable = useAction((body: { password: string; code: string }) => take(api.POST("/api/v1/auth/totp/disable", { body })), { refresh: ["me"] });
  const on = me.data?.second_factor ?? false;
  return (
    <Card title={t("settings.secondFactor")} extra={<Tag color={on ? "success" : "default"}>{t(on ? "settings.on" : "settings.off")}</Tag>}>
      {!on && !setup && (
        <Form layout="vertical" requiredMark={false} onFinish={(fields: { password: string }) => begin.mutate(fields)}>
          <Form.Item name="password" label={t("auth.password")} rules={[{ required: true }]}>
            <Input.Password autoComplete="current-password" />
          </Form.Item>
          <Button htmlType="submit" loading={begin.isPending}>
            {t("settings.turnOn")}
          </Button>
        </Form>
      )}
      {setup && (
        <Form layout="vertical" requiredMark={false} onFinish={(fields: { code: string }) => confirm.mutate(fields)}>
          <p>{t("settings.scan")}</p>
          <Form.Item label={t("settings.secret")}>
            <Typography.Text code copyable>
              {setup.secret}
            </Typography.Text>
          </Form.Item>
          <p>
            <a href={setup.link}>{setup.link.slice(0, 38)}…</a>
          </p>
          <Form.Item name="code" label={t("auth.code")} rules={[{ required: true }]}>
            <Input autoComplete="one-time-code" inputMode="numeric" />
          </Form.Item>
          <Button type="primary" htmlType="submit" loading={confirm.isPending}>
            {t("settings.confirm")}
          </Button>
        </Form>
      )}
      {on && (
        <Form layout="vertical" requiredMark={false} onFinish={(fields: { password: string; code: string }) => disable.mutate(fields)}>
          <Form.Item name="password" label={t("auth.password")} rules={[{ required: true }]}>
            <Input.Password autoComplete="current-password" />
          </Form.Item>
          <Form.Item name="code" label={t("auth.code")} rules={[{ required: true }]}>
            <Input autoComplete="one-time-code" />
          </Form.Item>
          <Button danger htmlType="submit" loading={disable.isPending}>
            {t("settings.turnOff")}
          </Button>
        </Form>
      )}
      <Modal open={codes.length > 0} title={t("settings.recovery")} footer={null} onCancel={() => setCodes([])}>
        <Alert type="warning" title={t("app.shownOnce")} style={{ marginBottom: 12 }} />
        <p>{t("settings.recoveryText")}</p>
        <Typography.Paragraph copyable={{ text: codes.join("\n") }}>
          <pre className="diff">{codes.join("\n")}</pre>
        </Typography.Paragraph>
      </Modal>
    </Card>
  );
}

function Sessions() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const query = useQuery({ queryKey: ["sessions"], queryFn: () => take(api.GET("/api/v1/auth/sessions")) });
  const end = useAction(
    (session_id: string) => take(api.DELETE("/api/v1/auth/sessions/{session_id}", { params: { path: { session_id } } })),
    { refresh: ["sessions"] },
  );
  const endAll = useAction(() => take(api.POST("/api/v1/auth/logout-all")), { then: () => useSession.getState().signOut() });
  return (
    <Card title={t("settings.sessions")} extra={<Button onClick={() => endAll.mutate(undefined)}>{t("auth.signOutAll")}</Button>}>
      <Loaded query={query}>
        {(rows) => (
          <Table
            rowKey="id"
            size="small"
            pagination={false}
            dataSource={rows}
            scroll={{ x: 640 }}
            columns={[
              { title: t("settings.device"), dataIndex: "device", ellipsis: true },
              { title: t("settings.address"), dataIndex: "address" },
              { title: t("settings.seen"), render: (_, row) => time(row.seen_at, locale) },
              {
                title: t("app.actions"),
                render: (_, row) =>
                  row.current ? (
                    <Tag>{t("settings.thisOne")}</Tag>
                  ) : (
                    <Button size="small" onClick={() => end.mutate(row.id)}>
                      {t("settings.end")}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

function Logins() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const query = useQuery({ queryKey: ["logins"], queryFn: () => take(api.GET("/api/v1/auth/logins")) });
  return (
    <Card title={t("settings.logins")}>
      <Loaded query={query} empty={{ when: (rows) => rows.length === 0, text: t("app.empty") }}>
        {(rows) => (
          <Table
            rowKey="at"
            size="small"
            pagination={false}
            dataSource={rows.slice(0, 12)}
            scroll={{ x: 560 }}
            columns={[
              { title: t("settings.at"), render: (_, row) => time(row.at, locale) },
              { title: t("settings.outcome"), render: (_, row) => <Tag color={row.outcome === "ok" ? "success" : "error"}>{row.outcome}</Tag> },
              { title: t("settings.address"), dataIndex: "address" },
              { title: t("settings.device"), dataIndex: "device", ellipsis: true },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}
