import { Result, Tabs } from "antd";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate } from "react-router";

import { Page } from "@/components/ui/Page";
import { Audit } from "@/features/administration/Audit";
import { Backups } from "@/features/administration/Backups";
import { Configuration } from "@/features/administration/Configuration";
import { System } from "@/features/administration/System";
import { Users } from "@/features/administration/Users";
import { useMe } from "@/lib/me";

export default function AdministrationPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const me = useMe();
  const chosen = useLocation().pathname.split("/")[2] ?? "system";
  if (me.data && !me.data.roles.includes("administrator")) return <Result status="403" title={t("app.forbidden")} />;
  return (
    <Page title={t("nav.administration")}>
      <Tabs
        activeKey={chosen}
        destroyOnHidden
        onChange={(key) => void navigate(`/administration/${key}`)}
        items={[
          { key: "system", label: t("settings.monitoring"), children: <System /> },
          { key: "users", label: t("settings.users"), children: <Users /> },
          { key: "configuration", label: t("settings.configuration"), children: <Configuration /> },
          { key: "audit", label: t("settings.audit"), children: <Audit /> },
          { key: "backups", label: t("settings.backups"), children: <Backups /> },
        ]}
      />
    </Page>
  );
}
