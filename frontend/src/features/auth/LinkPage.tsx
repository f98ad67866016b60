import { Alert, Form, Input } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";

import { AuthCard, SubmitButton } from "@/features/auth/AuthCard";
import { api, take } from "@/lib/api";

/** Where mailed links lead: to verify an address, or to set a new password. Without a token: to ask for a link. */
export default function LinkPage({ purpose }: { purpose: "reset" | "verify" }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [query] = useSearchParams();
  const token = query.get("token") ?? "";
  const [error, setError] = useState("");
  const [sent, setSent] = useState(false);
  const [busy, setBusy] = useState(false);
  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    setError("");
    try {
      await work();
    } catch (e) {
      setError(e instanceof Error ? e.message : String(e));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (purpose !== "verify" || !token) return;
    void attempt(async () => {
      await take(api.POST("/api/v1/auth/verify-email", { body: { token } }));
      void navigate("/sign-in", { state: { note: t("auth.verified") } });
    });
  }, [purpose, token, navigate, t]);
  const ask = ({ email }: { email: string }) =>
    attempt(async () => {
      await take(api.POST("/api/v1/auth/password/forgot", { body: { email } }));
      setSent(true);
    });
  const set = ({ password }: { password: string }) =>
    attempt(async () => {
      await take(api.POST("/api/v1/auth/password/reset", { body: { token, password } }));
      void navigate("/sign-in", { state: { note: t("auth.passwordSet") } });
    });
  return (
    <AuthCard title={t(purpose === "verify" ? "auth.email" : "auth.newPassword")}>
      {error && <Alert type="error" title={error} role="alert" style={{ marginBottom: 16 }} />}
      {sent && <Alert type="info" title={t("auth.forgotSent")} style={{ marginBottom: 16 }} />}
      {purpose === "reset" && !token && (
        <Form layout="vertical" onFinish={(fields: { email: string }) => void ask(fields)} requiredMark={false}>
          <Form.Item name="email" label={t("auth.email")} rules={[{ required: true, type: "email" }]}>
            <Input autoComplete="username" inputMode="email" autoFocus />
          </Form.Item>
          <SubmitButton loading={busy}>{t("auth.send")}</SubmitButton>
        </Form>
      )}
      {purpose === "reset" && token && (
        <Form layout="vertical" onFinish={(fields: { password: string }) => void set(fields)} requiredMark={false}>
          <Form.Item name="password" label={t("auth.newPassword")} rules={[{ required: true, min: 10 }]}>
            <Input.Password autoComplete="new-password" autoFocus />
          </Form.Item>
          <SubmitButton loading={busy}>{t("auth.setPassword")}</SubmitButton>
        </Form>
      )}
      <p style={{ marginBottom: 0 }}>
        <Link to="/sign-in">{t("auth.title")}</Link>
      </p>
    </AuthCard>
  );
}
