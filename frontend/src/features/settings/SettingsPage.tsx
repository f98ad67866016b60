import { Tabs } from "antd";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate } from "react-router";

import { Page } from "@/components/ui/Page";
import { ApiKeys } from "@/features/settings/ApiKeys";
import { ExchangeKeys } from "@/features/settings/ExchangeKeys";
import { Profile } from "@/features/settings/Profile";
import { Security } from "@/features/settings/Security";
import { useMe } from "@/lib/me";

export default function SettingsPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const me = useMe();
  const chosen = useLocation().pathname.split("/")[2] ?? "profile";
  const trades = me.data?.permissions.includes("credentials") ?? false;
  return (
    <Page title={t("settings.title")}>
      <Tabs
        activeKey={chosen}
        destroyOnHidden
        onChange={(key) => void navigate(`/settings/${key}`)}
        items={[
          { key: "profile", label: t("settings.profile"), children: <Profile /> },
          { key: "security", label: t("settings.security"), children: <Security /> },
          { key: "api-keys", label: t("settings.apiKeys"), children: <ApiKeys /> },
          ...(trades ? [{ key: "exchange-keys", label: t("settings.exchangeKeys"), children: <ExchangeKeys /> }] : []),
        ]}
      />
    </Page>
  );
}
