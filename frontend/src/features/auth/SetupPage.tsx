import { Alert, Form, Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";

import { AuthCard, SubmitButton } from "@/features/auth/AuthCard";
import { api, take } from "@/lib/api";
import { usePreferences } from "@/lib/preferences";
import { useSession } from "@/lib/session";

interface Fields {
  name: string;
  email: string;
  password: string;
}

export default function SetupPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [query] = useSearchParams();
  const token = query.get("token") ?? "";
  const locale = usePreferences((preferences) => preferences.locale);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (fields: Fields) => {
    setBusy(true);
    setError("");
    try {
      const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const tokens = await take(api.POST("/api/v1/auth/setup", { body: { token, locale, time_zone, ...fields } }));
      useSession.getState().signIn(tokens.access_token);
      void navigate("/", { replace: true });
    } catch (e) {
      setError(e instanceof Error ? e.message : String(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <AuthCard title={t("auth.setup")} text={t("auth.setupText")}>
      {!token && <Alert type="info" title={t("auth.needLink")} style={{ marginBottom: 16 }} />}
      {error && <Alert type="error" title={error} role="alert" style={{ marginBottom: 16 }} />}
      <Form<Fields> layout="vertical" disabled={!token} onFinish={(fields) => void submit(fields)} requiredMark={false}>
        <Form.Item name="name" label={t("auth.name")} rules={[{ required: true, max: 80 }]}>
          <Input autoComplete="name" autoFocus />
        </Form.Item>
        <Form.Item name="email" label={t("auth.email")} rules={[{ required: true, type: "email" }]}>
          <Input autoComplete="username" inputMode="email" />
        </Form.Item>
        <Form.Item name="password" label={t("auth.password")} rules={[{ required: true, min: 10 }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <SubmitButton loading={busy}>{t("auth.createOwner")}</SubmitButton>
      </Form>
    </AuthCard>
  );
}
