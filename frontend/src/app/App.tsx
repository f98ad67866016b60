import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { App as AntApp, ConfigProvider, theme as antTheme } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import { useEffect, useState } from "react";
import { BrowserRouter } from "react-router";

import { Routing } from "@/app/Routing";
import { ApiError } from "@/lib/api";
import { isDark, usePreferences } from "@/lib/preferences";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => !(error instanceof ApiError && error.status < 500) && count < 2,
    },
  },
});

export function App() {
  const { theme, locale } = usePreferences();
  const dark = useDark(theme);
  return (
    <ConfigProvider
      locale={locale === "zh-CN" ? zhCN : enUS}
      theme={{
        algorithm: dark ? antTheme.darkAlgorithm : antTheme.defaultAlgorithm,
        token: { colorPrimary: "#0d7d74", borderRadius: 8, fontFamily: "inherit" },
      }}
    >
      <AntApp style={{ height: "100%" }}>
        <QueryClientProvider client={queries}>
          <BrowserRouter>
            <Routing />
          </BrowserRouter>
        </QueryClientProvider>
      </AntApp>
    </ConfigProvider>
  );
}

function useDark(theme: "light" | "dark" | "system"): boolean {
  const [dark, setDark] = useState(isDark(theme));
  useEffect(() => {
    setDark(isDark(theme));
    const media = matchMedia("(prefers-color-scheme: dark)");
    const changed = () => setDark(isDark(theme));
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, [theme]);
  useEffect(() => {
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
    document.body.style.background = dark ? "#000" : "#f5f7f7";
  }, [dark]);
  return dark;
}
