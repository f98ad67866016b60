import { Tabs } from "antd";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate } from "react-router";

import { Page } from "@/components/ui/Page";
import { Channels } from "@/features/notifications/Channels";
import { Deliveries } from "@/features/notifications/Deliveries";
import { Inbox } from "@/features/notifications/Inbox";
import { Subscriptions } from "@/features/notifications/Subscriptions";

export default function NotificationsPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const chosen = useLocation().pathname.split("/")[2] ?? "inbox";
  return (
    <Page title={t("notifications.title")}>
      <Tabs
        activeKey={chosen}
        onChange={(key) => void navigate(`/notifications/${key}`)}
        destroyOnHidden
        items={[
          { key: "inbox", label: t("notifications.inbox"), children: <Inbox /> },
          { key: "channels", label: t("notifications.channels"), children: <Channels /> },
          { key: "subscriptions", label: t("notifications.subscriptions"), children: <Subscriptions /> },
          { key: "deliveries", label: t("notifications.deliveries"), children: <Deliveries /> },
        ]}
      />
    </Page>
  );
}
