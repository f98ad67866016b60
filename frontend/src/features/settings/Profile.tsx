import { Button, Card, Form, Input, Segmented, Select } from "antd";
import { useTranslation } from "react-i18next";

import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, type Schemas, take } from "@/lib/api";
import { useMe } from "@/lib/me";
import { type CandleColours, type Locale, type Theme, usePreferences } from "@/lib/preferences";

export function Profile() {
  const me = useMe();
  return <Loaded query={me}>{(user) => <Fields user={user} />}</Loaded>;
}

const ZONES = Intl.supportedValuesOf("timeZone");

function Fields({ user }: { user: Schemas["MeOut"] }) {
  const { t } = useTranslation();
  const preferences = usePreferences();
  const save = useAction((body: Schemas["MeIn"]) => take(api.PATCH("/api/v1/me", { body })), { refresh: ["me"], done: t("settings.changed") });
  return (
    <div style={{ display: "grid", gap: 16, gridTemplateColumns: "repeat(auto-fit, minmax(280px, 1fr))" }}>
      <Card title={t("settings.profile")}>
        <Form layout="vertical" initialValues={user} onFinish={(fields: { name: string; time_zone: string }) => save.mutate(fields)}>
          <Form.Item label={t("auth.email")}>
            <Input value={user.email} readOnly />
          </Form.Item>
          <Form.Item name="name" label={t("auth.name")} rules={[{ required: true, max: 80 }]}>
            <Input />
          </Form.Item>
          <Form.Item name="time_zone" label={t("settings.timeZone")}>
            <Select showSearch options={["UTC", ...ZONES].map((value) => ({ value, label: value }))} />
          </Form.Item>
          <Button type="primary" htmlType="submit" loading={save.isPending}>
            {t("app.save")}
          </Button>
        </Form>
      </Card>
      <Card title={t("settings.appearance")}>
        <Form layout="vertical">
          <Form.Item label={t("settings.language")}>
            <Segmented<Locale>
              value={preferences.locale}
              onChange={(locale) => {
                preferences.change({ locale });
                save.mutate({ locale });
              }}
              options={[
                { value: "en", label: "English" },
                { value: "zh-CN", label: "中文" },
              ]}
            />
          </Form.Item>
          <Form.Item label={t("settings.theme")}>
            <Segmented<Theme>
              value={preferences.theme}
              onChange={(theme) => preferences.change({ theme })}
              options={(["light", "dark", "system"] as const).map((value) => ({ value, label: t(`settings.${value}`) }))}
            />
          </Form.Item>
          <Form.Item label={t("settings.candles")}>
            <Segmented<CandleColours>
              vertical
              value={preferences.candles}
              onChange={(candles) => preferences.change({ candles })}
              options={[
                { value: "green-up", label: t("settings.greenUp") },
                { value: "red-up", label: t("settings.redUp") },
              ]}
            />
          </Form.Item>
        </Form>
      </Card>
    </div>
  );
}
