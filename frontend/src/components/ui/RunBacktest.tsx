import { useQuery } from "@tanstack/react-query";
import { Alert, Col, DatePicker, Form, Input, InputNumber, Modal, Row, Select } from "antd";
import type { Dayjs } from "dayjs";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { useAction } from "@/components/ui/useAction";
import { api, take } from "@/lib/api";

interface Outline {
  timeframe?: string;
  parameters?: { name: string; default: unknown }[];
}

interface Fields {
  data: string;
  timeframe?: string;
  period?: [Dayjs, Dayjs] | null;
  cash: number;
  fee: number;
  slippage: number;
  leverage?: number | null;
  params?: Record<string, string | number>;
}

/** Ask for what a backtest needs, and put it into the queue. */
export function RunBacktest({ strategyId, outline, onClose }: { strategyId: string; outline: Outline; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [form] = Form.useForm<Fields>();
  const data = useQuery({ queryKey: ["data"], queryFn: () => take(api.GET("/api/v1/data")) });
  const names = [...new Set((data.data ?? []).filter((one) => one.kind === "bars").map((one) => one.name))];
  const submit = useAction(
    (fields: Fields) =>
      take(
        api.POST("/api/v1/backtests", {
          body: {
            strategy_id: strategyId,
            data: fields.data,
            timeframe: fields.timeframe || null,
            since: fields.period?.[0].format("YYYY-MM-DD") ?? null,
            until: fields.period?.[1].format("YYYY-MM-DD") ?? null,
            params: Object.fromEntries(Object.entries(fields.params ?? {}).filter(([, value]) => value !== "" && value !== null)),
            cash: fields.cash,
            fee: fields.fee / 100,
            slippage: fields.slippage / 100,
            leverage: fields.leverage ?? null,
            mode: "auto",
          },
        }),
      ),
    { refresh: ["backtests"], then: (made) => void navigate(`/backtests/${made.id}`) },
  );
  return (
    <Modal open title={t("backtests.new")} okText={t("backtests.submit")} cancelText={t("app.cancel")} onCancel={onClose} onOk={() => form.submit()} confirmLoading={submit.isPending} okButtonProps={{ disabled: names.length === 0 }}>
      {data.isSuccess && names.length === 0 && <Alert type="info" title={t("backtests.noData")} style={{ marginBottom: 16 }} />}
      <Form<Fields>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ cash: 100_000, fee: 0.1, slippage: 0, timeframe: outline.timeframe ?? "" }}
        onFinish={(fields) => submit.mutate(fields)}
      >
        <Form.Item name="data" label={t("backtests.data")} rules={[{ required: true }]}>
          <Select showSearch loading={data.isPending} options={names.map((value) => ({ value, label: value }))} />
        </Form.Item>
        <Row gutter={12}>
          <Col span={12}>
            <Form.Item name="timeframe" label={t("backtests.timeframe")}>
              <Input placeholder="1h" />
            </Form.Item>
          </Col>
          <Col span={12}>
            <Form.Item name="cash" label={t("backtests.cash")} rules={[{ required: true }]}>
              <InputNumber min={1} style={{ width: "100%" }} />
            </Form.Item>
          </Col>
        </Row>
        <Form.Item name="period" label={`${t("backtests.since")} – ${t("backtests.until")}`}>
          <DatePicker.RangePicker style={{ width: "100%" }} />
        </Form.Item>
        <Row gutter={12}>
          <Col span={8}>
            <Form.Item name="fee" label={`${t("backtests.fee")} %`}>
              <InputNumber min={-1} max={10} step={0.01} style={{ width: "100%" }} />
            </Form.Item>
          </Col>
          <Col span={8}>
            <Form.Item name="slippage" label={`${t("backtests.slippage")} %`}>
              <InputNumber min={0} max={10} step={0.01} style={{ width: "100%" }} />
            </Form.Item>
          </Col>
          <Col span={8}>
            <Form.Item name="leverage" label={t("backtests.leverage")}>
              <InputNumber min={1} max={200} style={{ width: "100%" }} />
            </Form.Item>
          </Col>
        </Row>
        <Row gutter={12}>
          {(outline.parameters ?? []).map((one) => (
            <Col span={8} key={one.name}>
              <Form.Item name={["params", one.name]} label={one.name}>
                {typeof one.default === "number" ? (
                  <InputNumber placeholder={String(one.default)} style={{ width: "100%" }} />
                ) : (
                  <Input placeholder={String(one.default)} />
                )}
              </Form.Item>
            </Col>
          ))}
        </Row>
      </Form>
    </Modal>
  );
}
