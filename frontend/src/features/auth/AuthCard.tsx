import { Button, Card, Segmented } from "antd";
import type { ReactNode } from "react";

import { type Locale, usePreferences } from "@/lib/preferences";

/** The frame of every page before signing in. */
export function AuthCard({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  const { locale, change } = usePreferences();
  return (
    <main className="centre">
      <div>
        <div style={{ display: "flex", justifyContent: "space-between", marginBottom: 16, alignItems: "center" }}>
          <span className="brand">
            <img src="/icon.svg" alt="" />
            CashUp
          </span>
          <Segmented<Locale>
            size="small"
            aria-label="Language / 语言"
            value={locale}
            onChange={(value) => change({ locale: value })}
            options={[
              { value: "en", label: "English" },
              { value: "zh-CN", label: "中文" },
            ]}
          />
        </div>
        <Card>
          <h1 style={{ marginTop: 0, fontSize: 22 }}>{title}</h1>
          {text && <p>{text}</p>}
          {children}
        </Card>
      </div>
    </main>
  );
}

export function SubmitButton({ loading, children }: { loading: boolean; children: ReactNode }) {
  return (
    <Button type="primary" htmlType="submit" block size="large" loading={loading}>
      {children}
    </Button>
  );
}
