import { Spin } from "antd";
import { lazy, Suspense, useEffect } from "react";
import { Navigate, Route, Routes, useLocation } from "react-router";

import { Shell } from "@/app/Shell";
import { refresh, useSession } from "@/lib/session";

const SignIn = lazy(() => import("@/features/auth/SignInPage"));
const Setup = lazy(() => import("@/features/auth/SetupPage"));
const Register = lazy(() => import("@/features/auth/RegisterPage"));
const Link = lazy(() => import("@/features/auth/LinkPage"));
const Dashboard = lazy(() => import("@/features/dashboard/DashboardPage"));
const Strategies = lazy(() => import("@/features/strategies/StrategiesPage"));
const Strategy = lazy(() => import("@/features/strategies/StrategyPage"));
const Backtests = lazy(() => import("@/features/backtests/BacktestsPage"));
const Backtest = lazy(() => import("@/features/backtests/BacktestPage"));
const Data = lazy(() => import("@/features/data/DataPage"));
const Chart = lazy(() => import("@/features/data/ChartPage"));
const Notifications = lazy(() => import("@/features/notifications/NotificationsPage"));
const Settings = lazy(() => import("@/features/settings/SettingsPage"));
const Administration = lazy(() => import("@/features/administration/AdministrationPage"));

export function Routing() {
  return (
    <Suspense fallback={<Waiting />}>
      <Routes>
        <Route path="/setup" element={<Setup />} />
        <Route path="/sign-in" element={<SignIn />} />
        <Route path="/register" element={<Register />} />
        <Route path="/reset-password" element={<Link purpose="reset" />} />
        <Route path="/verify-email" element={<Link purpose="verify" />} />
        <Route element={<SignedIn />}>
          <Route index element={<Dashboard />} />
          <Route path="strategies" element={<Strategies />} />
          <Route path="strategies/:id" element={<Strategy />} />
          <Route path="backtests" element={<Backtests />} />
          <Route path="backtests/:id" element={<Backtest />} />
          <Route path="data" element={<Data />} />
          <Route path="data/chart" element={<Chart />} />
          <Route path="notifications/*" element={<Notifications />} />
          <Route path="settings/*" element={<Settings />} />
          <Route path="administration/*" element={<Administration />} />
          <Route path="*" element={<Navigate to="/" replace />} />
        </Route>
      </Routes>
    </Suspense>
  );
}

function SignedIn() {
  const state = useSession((session) => session.state);
  const location = useLocation();
  useEffect(() => {
    if (state === "unknown") void refresh();
  }, [state]);
  if (state === "unknown") return <Waiting />;
  if (state === "out") return <Navigate to="/sign-in" state={{ from: location.pathname + location.search }} replace />;
  return <Shell />;
}

export function Waiting() {
  return (
    <div className="centre" role="status" aria-live="polite">
      <Spin size="large" />
    </div>
  );
}
