"""Which subscriptions want an event, and when its message may leave. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final
from zoneinfo import ZoneInfo

from cashup.services.notification.events import SEVERITIES
from cashup.services.notification.tables import SubscriptionRow

_DAY_MINUTES: Final = 24 * 60


def wants(rule: SubscriptionRow, *, event: str, severity: str, strategy_id: str) -> bool:
    """Say whether a subscription wants an event."""
    return (
        rule.enabled
        and SEVERITIES.index(severity) >= SEVERITIES.index(rule.least)
        and (not rule.strategy_id or rule.strategy_id == strategy_id)
        and any(fnmatchcase(event, pattern) for pattern in rule.events)
    )


def leaves_at(
    rule: SubscriptionRow, now: datetime, *, severity: str, sent_last_hour: int
) -> tuple[datetime, bool]:
    """Return when a message may leave, and whether it leaves in a digest.

    Critical messages leave at once. Others wait for the end of quiet hours, for the next digest, and when the
    channel has carried its hourly share.
    """
    if severity == "critical":
        return now, False
    digest = rule.digest_minutes > 0
    at = now
    if digest:
        span = rule.digest_minutes
        minutes = int(now.timestamp() // 60)
        at = now + timedelta(minutes=span - minutes % span)
    elif rule.per_hour and sent_last_hour >= rule.per_hour:
        at, digest = now + timedelta(hours=1), True
    return after_quiet(rule, at), digest


def after_quiet(rule: SubscriptionRow, at: datetime) -> datetime:
    """Return `at`, or the end of the quiet hours it falls into."""
    if rule.quiet_from is None or rule.quiet_until is None or rule.quiet_from == rule.quiet_until:
        return at
    local = at.astimezone(ZoneInfo(rule.time_zone))
    minute = local.hour * 60 + local.minute
    start, end = rule.quiet_from, rule.quiet_until
    inside = start <= minute < end if start < end else minute >= start or minute < end
    if not inside:
        return at
    days = 1 if start > end and minute >= start else 0
    morning = local.replace(hour=end // 60 % 24, minute=end % 60, second=0, microsecond=0) + timedelta(
        days=days
    )
    return morning.astimezone(at.tzinfo)


def check_minutes(values: Sequence[int | None]) -> bool:
    """Say whether quiet hours are minutes of a day."""
    return all(value is None or 0 <= value < _DAY_MINUTES for value in values)
