import { BellOutlined, DashboardOutlined, DatabaseOutlined, ExperimentOutlined, CodeOutlined, MenuOutlined, SettingOutlined, ToolOutlined, UserOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App as AntApp, Badge, Button, Drawer, Dropdown, Grid, Layout, Menu } from "antd";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, Outlet, useLocation, useNavigate } from "react-router";

import { Waiting } from "@/app/Routing";
import { useMe } from "@/lib/me";
import { api, take } from "@/lib/api";
import { useLiveConnection, useLiveState, useTopic } from "@/lib/live";
import { useSession } from "@/lib/session";

const { Header, Sider, Content } = Layout;

export function Shell() {
  const { t } = useTranslation();
  const { message } = AntApp.useApp();
  const queries = useQueryClient();
  const me = useMe();
  const screens = Grid.useBreakpoint();
  const [open, setOpen] = useState(false);
  const connected = useLiveState((state) => state.connected);
  useLiveConnection(() => void queries.invalidateQueries());
  const unread = useQuery({
    queryKey: ["notifications", "unread"],
    queryFn: () => take(api.GET("/api/v1/notifications", { params: { query: { limit: 1 } } })),
    select: (page) => page.unread,
  });
  useTopic(me.data ? `user:${me.data.id}:notifications` : null, (data) => {
    void queries.invalidateQueries({ queryKey: ["notifications"] });
    const { title, severity } = data as { title: string; severity: string };
    if (severity === "critical") void message.error(title);
    else if (severity === "warning") void message.warning(title);
  });
  const wide = screens.lg ?? true;
  return (
    <Layout style={{ minHeight: "100%" }}>
      <a className="skip" href="#content">
        {t("app.skip")}
      </a>
      <Header style={{ display: "flex", alignItems: "center", gap: 12, paddingInline: 16, background: "#0b2f2d", color: "#fff", height: 52, lineHeight: "52px" }}>
        {!wide && <Button type="text" aria-label={t("app.menu")} icon={<MenuOutlined style={{ color: "#fff" }} />} onClick={() => setOpen(true)} />}
        <Link to="/" className="brand" style={{ color: "#fff" }}>
          <img src="/icon.svg" alt="" />
          {t("app.name")}
        </Link>
        <span style={{ flex: 1 }} />
        <Link to="/notifications" aria-label={t("nav.notifications")}>
          <Badge count={unread.data ?? 0} size="small" overflowCount={99}>
            <BellOutlined style={{ color: "#fff", fontSize: 18 }} />
          </Badge>
        </Link>
        <AccountMenu name={me.data?.name ?? ""} />
      </Header>
      <Layout>
        {wide ? (
          <Sider width={208} theme="light" style={{ position: "sticky", top: 0, height: "calc(100vh - 52px)", overflow: "auto" }}>
            <SideMenu admin={me.data?.roles.includes("administrator") ?? false} />
          </Sider>
        ) : (
          <Drawer open={open} onClose={() => setOpen(false)} placement="left" size={240} styles={{ body: { padding: 0 } }} title={t("app.name")}>
            <SideMenu admin={me.data?.roles.includes("administrator") ?? false} onChoose={() => setOpen(false)} />
          </Drawer>
        )}
        <Content id="content" role="main" tabIndex={-1} style={{ minWidth: 0, outline: "none" }}>
          {!connected && <StaleBanner text={t("app.offline")} />}
          <Suspense fallback={<Waiting />}>
            <Outlet />
          </Suspense>
        </Content>
      </Layout>
    </Layout>
  );
}

function StaleBanner({ text }: { text: string }) {
  return <Alert type="warning" banner title={text} role="status" />;
}

function SideMenu({ admin, onChoose }: { admin: boolean; onChoose?: () => void }) {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const chosen = `/${pathname.split("/")[1] ?? ""}`;
  const items = [
    { key: "/", icon: <DashboardOutlined />, label: t("nav.dashboard") },
    { key: "/strategies", icon: <CodeOutlined />, label: t("nav.strategies") },
    { key: "/backtests", icon: <ExperimentOutlined />, label: t("nav.backtests") },
    { key: "/data", icon: <DatabaseOutlined />, label: t("nav.data") },
    { key: "/notifications", icon: <BellOutlined />, label: t("nav.notifications") },
    { key: "/settings", icon: <SettingOutlined />, label: t("nav.settings") },
    ...(admin ? [{ key: "/administration", icon: <ToolOutlined />, label: t("nav.administration") }] : []),
  ];
  return (
    <nav aria-label={t("app.menu")}>
      <Menu
        mode="inline"
        selectedKeys={[chosen]}
        items={items}
        style={{ borderInlineEnd: 0, paddingTop: 8 }}
        onClick={({ key }) => {
          void navigate(key);
          onChoose?.();
        }}
      />
    </nav>
  );
}

function AccountMenu({ name }: { name: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const leave = async () => {
    await api.POST("/api/v1/auth/logout");
    useSession.getState().signOut();
    queries.clear();
  };
  return (
    <Dropdown
      trigger={["click"]}
      menu={{
        items: [
          { key: "settings", label: t("nav.settings"), onClick: () => void navigate("/settings") },
          { key: "leave", label: t("auth.signOut"), onClick: () => void leave() },
        ],
      }}
    >
      <Button type="text" style={{ color: "#fff" }} icon={<UserOutlined />} aria-label={t("nav.account")}>
        {name}
      </Button>
    </Dropdown>
  );
}
