"""What is counted and timed, in Prometheus's terms. One place, so that names and labels stay few.

No label ever carries a user's text, a key or an address: label values are names of our own.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram, generate_latest

_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

API_REQUESTS = Counter("cashup_api_requests_total", "HTTP requests answered.", ["method", "route", "status"])
API_SECONDS = Histogram(
    "cashup_api_request_seconds", "Time to answer an HTTP request.", ["route"], buckets=_FAST
)
SOCKETS = Gauge("cashup_websocket_connections", "Open WebSocket connections.")
SOCKET_MESSAGES = Counter("cashup_websocket_messages_total", "Messages sent to WebSockets.", ["topic"])
SOCKET_DROPPED = Counter("cashup_websocket_dropped_total", "Connections cut because they read too slowly.")
LOGINS = Counter("cashup_logins_total", "Attempts to sign in.", ["outcome"])
JOBS = Counter("cashup_jobs_total", "Background jobs ended.", ["kind", "outcome"])
JOB_SECONDS = Histogram(
    "cashup_job_seconds", "Time a background job took.", ["kind"], buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1800)
)
NOTIFICATIONS = Counter("cashup_notifications_total", "Messages to users.", ["channel", "outcome"])
TASK_RESTARTS = Counter("cashup_task_restarts_total", "Supervised tasks that had to be restarted.", ["task"])
ORDERS = Counter("cashup_orders_total", "Orders by their last event.", ["venue", "event"])
FEED_AGE = Gauge("cashup_feed_age_seconds", "Age of the newest message of a feed.", ["venue", "stream"])
UP = Gauge("cashup_up", "1 while a service answers its health check.", ["service"])


def exposition() -> tuple[bytes, str]:
    """Return everything measured, as Prometheus reads it, and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
