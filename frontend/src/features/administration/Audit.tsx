import { useInfiniteQuery } from "@tanstack/react-query";
import { App as AntApp, Button, Input, Skeleton, Space, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useAction } from "@/components/ui/useAction";
import { api, take } from "@/lib/api";
import { time } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";

export function Audit() {
  const { t } = useTranslation();
  const { message } = AntApp.useApp();
  const locale = usePreferences((preferences) => preferences.locale);
  const [action, setAction] = useState("");
  const query = useInfiniteQuery({
    queryKey: ["audit", action],
    initialPageParam: 0,
    queryFn: ({ pageParam }) => take(api.GET("/api/v1/audit", { params: { query: { before: pageParam, limit: 50, action } } })),
    getNextPageParam: (page) => page.next || undefined,
  });
  const verify = useAction(() => take(api.GET("/api/v1/audit/verify")), {
    then: (chain) => void (chain.whole ? message.success(t("settings.whole")) : message.error(t("settings.broken", { n: chain.broken_at }), 10)),
  });
  if (query.isPending) return <Skeleton active />;
  return (
    <>
      <Space wrap style={{ marginBottom: 16 }}>
        <Input.Search allowClear placeholder={t("settings.action")} aria-label={t("settings.action")} onSearch={setAction} />
        <Button loading={verify.isPending} onClick={() => verify.mutate(undefined)}>
          {t("settings.verify")}
        </Button>
      </Space>
      <Table
        rowKey="number"
        size="small"
        pagination={false}
        scroll={{ x: 860 }}
        dataSource={query.data?.pages.flatMap((page) => page.items) ?? []}
        columns={[
          { title: "#", dataIndex: "number", className: "numbers" },
          { title: t("settings.at"), render: (_, row) => time(row.at, locale) },
          { title: t("settings.action"), dataIndex: "action" },
          { title: t("settings.subject"), dataIndex: "subject", ellipsis: true },
          { title: t("settings.who"), dataIndex: "user_id", ellipsis: true },
          { title: t("settings.address"), dataIndex: "address" },
        ]}
      />
      {query.hasNextPage && (
        <Button style={{ marginTop: 12 }} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("app.more")}
        </Button>
      )}
    </>
  );
}
