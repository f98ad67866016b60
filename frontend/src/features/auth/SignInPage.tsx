import { Alert, Form, Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, Navigate, useLocation, useNavigate } from "react-router";

import { AuthCard, SubmitButton } from "@/features/auth/AuthCard";
import { api, ApiError, take } from "@/lib/api";
import { useSession } from "@/lib/session";

interface Fields {
  email: string;
  password: string;
  code?: string;
}

export default function SignInPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const location = useLocation();
  const session = useSession();
  const [error, setError] = useState("");
  const [needsCode, setNeedsCode] = useState(false);
  const [busy, setBusy] = useState(false);
  const from = (location.state as { from?: string; note?: string } | null) ?? {};
  if (session.state === "in") return <Navigate to={from.from ?? "/"} replace />;
  const submit = async ({ email, password, code }: Fields) => {
    setBusy(true);
    setError("");
    try {
      const tokens = await take(api.POST("/api/v1/auth/login", { body: { email, password, code: code ?? "" } }));
      session.signIn(tokens.access_token);
      void navigate(from.from ?? "/", { replace: true });
    } catch (e) {
      if (e instanceof ApiError && e.code === "second_factor_needed") setNeedsCode(true);
      else setError(e instanceof Error ? e.message : String(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <AuthCard title={t("auth.title")}>
      {from.note && <Alert type="success" title={from.note} style={{ marginBottom: 16 }} />}
      {error && <Alert type="error" title={error} role="alert" style={{ marginBottom: 16 }} />}
      <Form<Fields> layout="vertical" onFinish={(fields) => void submit(fields)} requiredMark={false}>
        <Form.Item name="email" label={t("auth.email")} rules={[{ required: true, type: "email" }]}>
          <Input autoComplete="username" inputMode="email" autoFocus />
        </Form.Item>
        <Form.Item name="password" label={t("auth.password")} rules={[{ required: true }]}>
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        {needsCode && (
          <Form.Item name="code" label={t("auth.code")} extra={t("auth.codeHint")} rules={[{ required: true }]}>
            <Input autoComplete="one-time-code" autoFocus />
          </Form.Item>
        )}
        <SubmitButton loading={busy}>{t("auth.signIn")}</SubmitButton>
      </Form>
      <p style={{ display: "flex", justifyContent: "space-between", marginBottom: 0 }}>
        <Link to="/reset-password">{t("auth.forgot")}</Link>
        <Link to="/register">{t("auth.register")}</Link>
      </p>
    </AuthCard>
  );
}
