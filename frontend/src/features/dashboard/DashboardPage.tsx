import { useQuery } from "@tanstack/react-query";
import { Button, Card, Col, Row, Statistic, Typography } from "antd";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { BacktestTable } from "@/components/ui/BacktestTable";
import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/ui/States";
import { api, take } from "@/lib/api";
import { time } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

export default function DashboardPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const locale = usePreferences((preferences) => preferences.locale);
  const strategies = useQuery({
    queryKey: ["strategies", "first"],
    queryFn: () => take(api.GET("/api/v1/strategies", { params: { query: { limit: 200 } } })),
  });
  const backtests = useQuery({
    queryKey: ["backtests", "latest"],
    queryFn: () => take(api.GET("/api/v1/backtests", { params: { query: { limit: 8 } } })),
  });
  const data = useQuery({ queryKey: ["data"], queryFn: () => take(api.GET("/api/v1/data")) });
  const inbox = useQuery({
    queryKey: ["notifications", "latest"],
    queryFn: () => take(api.GET("/api/v1/notifications", { params: { query: { limit: 6 } } })),
  });
  const cards = [
    { title: t("dashboard.strategies"), value: strategies.data?.items.length, to: "/strategies" },
    { title: t("dashboard.datasets"), value: data.data?.length, to: "/data" },
    { title: t("dashboard.unread"), value: inbox.data?.unread, to: "/notifications" },
  ];
  return (
    <Page title={t("dashboard.title")}>
      <Row gutter={[16, 16]}>
        {cards.map((card) => (
          <Col key={card.to} xs={24} sm={8}>
            <Link to={card.to}>
              <Card hoverable>
                <Statistic title={card.title} value={card.value ?? "–"} />
              </Card>
            </Link>
          </Col>
        ))}
        {strategies.data?.items.length === 0 && (
          <Col span={24}>
            <Card>
              <Typography.Title level={2} style={{ fontSize: 18, marginTop: 0 }}>
                {t("dashboard.start")}
              </Typography.Title>
              <p>{t("dashboard.startText")}</p>
              <Button type="primary" onClick={() => void navigate("/strategies?new=1")}>
                {t("strategies.new")}
              </Button>
            </Card>
          </Col>
        )}
        <Col xs={24} xl={16}>
          <Card title={t("dashboard.latest")} styles={{ body: { padding: 0 } }}>
            <div style={{ padding: backtests.data?.items.length ? 0 : 24 }}>
              <Loaded query={backtests} empty={{ when: (page) => page.items.length === 0, text: t("backtests.empty") }}>
                {(page) => <BacktestTable rows={page.items} />}
              </Loaded>
            </div>
          </Card>
        </Col>
        <Col xs={24} xl={8}>
          <Card title={t("dashboard.messages")}>
            <Loaded query={inbox} empty={{ when: (page) => page.items.length === 0, text: t("notifications.empty") }}>
              {(page) =>
                page.items.map((item) => (
                  <div key={item.id} style={{ marginBottom: 12 }}>
                    <Typography.Text strong={item.read_at === null}>{item.title}</Typography.Text>
                    <br />
                    <Typography.Text type="secondary">{time(item.created_at, locale)}</Typography.Text>
                  </div>
                ))
              }
            </Loaded>
          </Card>
        </Col>
      </Row>
    </Page>
  );
}
