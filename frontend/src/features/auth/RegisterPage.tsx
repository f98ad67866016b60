import { Alert, Form, Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";

import { AuthCard, SubmitButton } from "@/features/auth/AuthCard";
import { api, take } from "@/lib/api";
import { usePreferences } from "@/lib/preferences";

interface Fields {
  name: string;
  email: string;
  password: string;
  invitation?: string;
}

export default function RegisterPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [query] = useSearchParams();
  const locale = usePreferences((preferences) => preferences.locale);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async ({ invitation, ...fields }: Fields) => {
    setBusy(true);
    setError("");
    try {
      const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const body = { ...fields, locale, time_zone, invitation: invitation ?? "" };
      const { verification_sent } = await take(api.POST("/api/v1/auth/register", { body }));
      const note = t(verification_sent ? "auth.verifySent" : "auth.registered");
      void navigate("/sign-in", { state: { note } });
    } catch (e) {
      setError(e instanceof Error ? e.message : String(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <AuthCard title={t("auth.register")}>
      {error && <Alert type="error" title={error} role="alert" style={{ marginBottom: 16 }} />}
      <Form<Fields>
        layout="vertical"
        initialValues={{ invitation: query.get("invitation") ?? "" }}
        onFinish={(fields) => void submit(fields)}
        requiredMark={false}
      >
        <Form.Item name="name" label={t("auth.name")} rules={[{ required: true, max: 80 }]}>
          <Input autoComplete="name" autoFocus />
        </Form.Item>
        <Form.Item name="email" label={t("auth.email")} rules={[{ required: true, type: "email" }]}>
          <Input autoComplete="username" inputMode="email" />
        </Form.Item>
        <Form.Item name="password" label={t("auth.password")} rules={[{ required: true, min: 10 }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Form.Item name="invitation" label={t("auth.invitation")}>
          <Input />
        </Form.Item>
        <SubmitButton loading={busy}>{t("auth.register")}</SubmitButton>
      </Form>
      <p style={{ marginBottom: 0 }}>
        <Link to="/sign-in">{t("auth.haveAccount")}</Link>
      </p>
    </AuthCard>
  );
}
