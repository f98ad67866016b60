import type { UseQueryResult } from "@tanstack/react-query";
import { Button, Empty, Result, Skeleton } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/lib/api";

/** Show what a query found, or that it is loading, empty, refused or broken. */
export function Loaded<T>({
  query,
  empty,
  children,
}: {
  query: UseQueryResult<T>;
  empty?: { when: (data: T) => boolean; text: string; action?: ReactNode };
  children: (data: T) => ReactNode;
}) {
  const { t } = useTranslation();
  if (query.isPending) return <Skeleton active paragraph={{ rows: 6 }} />;
  if (query.isError) {
    const forbidden = query.error instanceof ApiError && query.error.status === 403;
    return (
      <Result
        status={forbidden ? "403" : "warning"}
        title={forbidden ? t("app.forbidden") : t("app.error")}
        subTitle={query.error.message}
        extra={forbidden ? null : <Button onClick={() => void query.refetch()}>{t("app.retry")}</Button>}
      />
    );
  }
  if (empty?.when(query.data)) return <Empty description={empty.text}>{empty.action}</Empty>;
  return <>{children(query.data)}</>;
}
