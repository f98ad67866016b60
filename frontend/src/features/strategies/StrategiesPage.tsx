import { useQuery } from "@tanstack/react-query";
import { Button, Form, Input, Modal, Select, Table, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";

import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/ui/States";
import { useAction } from "@/components/ui/useAction";
import { api, take } from "@/lib/api";
import { time } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

const BLANK = `from cashup import Strategy, param, ta


class MyStrategy(Strategy):
    """Say in a sentence what it does."""

    timeframe = "1h"
    period = param(20, low=5, high=100)

    def prepare(self, bars):
        self.average = ta.SMA(bars.close, self.period)

    def on_bar(self):
        if self.crossed_above(self.bars.close, self.average):
            self.target(1.0)
        elif self.crossed_below(self.bars.close, self.average):
            self.close()
`;

export default function StrategiesPage() {
  const { t } = useTranslation();
  const locale = usePreferences((preferences) => preferences.locale);
  const [query, setQuery] = useSearchParams();
  const [text, setText] = useState("");
  const list = useQuery({
    queryKey: ["strategies", text],
    queryFn: () => take(api.GET("/api/v1/strategies", { params: { query: { limit: 200, text } } })),
  });
  const creating = query.has("new");
  return (
    <Page
      title={t("strategies.title")}
      actions={
        <>
          <Input.Search allowClear placeholder={t("app.search")} aria-label={t("app.search")} onSearch={setText} style={{ width: 220 }} />
          <Button type="primary" onClick={() => setQuery({ new: "1" })}>
            {t("strategies.new")}
          </Button>
        </>
      }
    >
      <Loaded query={list} empty={{ when: (page) => page.items.length === 0, text: t("strategies.empty") }}>
        {(page) => (
          <Table
            rowKey="id"
            dataSource={page.items}
            pagination={false}
            scroll={{ x: 640 }}
            columns={[
              { title: t("strategies.name"), render: (_, row) => <Link to={`/strategies/${row.id}`}>{row.name}</Link> },
              { title: t("strategies.status"), render: (_, row) => <Tag>{t(`strategies.${row.status as "draft" | "active" | "archived"}`)}</Tag> },
              { title: t("strategies.version"), dataIndex: "current", className: "numbers" },
              { title: t("strategies.tags"), render: (_, row) => row.tags.map((tag) => <Tag key={tag}>{tag}</Tag>) },
              { title: t("strategies.updated"), render: (_, row) => time(row.updated_at, locale) },
            ]}
          />
        )}
      </Loaded>
      {creating && <NewStrategy onClose={() => setQuery({})} />}
    </Page>
  );
}

function NewStrategy({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const templates = useQuery({ queryKey: ["templates"], queryFn: () => take(api.GET("/api/v1/strategies/templates")), staleTime: Infinity });
  const create = useAction(
    ({ name, template }: { name: string; template: string }) =>
      take(api.POST("/api/v1/strategies", { body: { name, template, code: template ? "" : BLANK, description: "", tags: [], note: "" } })),
    { refresh: ["strategies"], then: (made) => void navigate(`/strategies/${made.id}`) },
  );
  const [form] = Form.useForm<{ name: string; template: string }>();
  return (
    <Modal open title={t("strategies.new")} okText={t("app.create")} cancelText={t("app.cancel")} confirmLoading={create.isPending} onCancel={onClose} onOk={() => form.submit()}>
      <Form form={form} layout="vertical" initialValues={{ template: "" }} onFinish={(fields) => create.mutate(fields)} requiredMark={false}>
        <Form.Item name="template" label={t("strategies.fromTemplate")}>
          <Select
            showSearch
            loading={templates.isPending}
            options={[{ value: "", label: t("strategies.blank") }, ...(templates.data ?? []).map((one) => ({ value: one.name, label: one.name }))]}
            onChange={(value: string) => {
              if (!form.getFieldValue("name")) form.setFieldValue("name", value);
            }}
          />
        </Form.Item>
        <Form.Item name="name" label={t("strategies.name")} rules={[{ required: true, max: 80 }]}>
          <Input />
        </Form.Item>
      </Form>
    </Modal>
  );
}
