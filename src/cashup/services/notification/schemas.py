"""What goes in and out of notifications, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["info", "warning", "critical"]
Minute = Annotated[int, Field(ge=0, le=1439)]


class Body(BaseModel):
    """What a request may hold: nothing but what is named."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class FieldOut(BaseModel):
    """One thing a kind of channel must know."""

    name: str
    label: dict[str, str]
    secret: bool
    required: bool


class KindOut(BaseModel):
    """A kind of channel."""

    name: str
    label: dict[str, str]
    fields: list[FieldOut]


class EventOut(BaseModel):
    """A kind of event."""

    name: str
    severity: str
    label: dict[str, str]
    title: dict[str, str]
    body: dict[str, str]
    sample: dict[str, Any]


class ChannelIn(Body):
    """A new channel."""

    kind: str = Field(max_length=24)
    name: str = Field(min_length=1, max_length=80)
    config: dict[str, Annotated[str, Field(max_length=500)]] = Field(max_length=10)


class ChannelChange(Body):
    """Changes of a channel; what is left out stays."""

    name: str | None = Field(None, min_length=1, max_length=80)
    enabled: bool | None = None
    config: dict[str, Annotated[str, Field(max_length=500)]] | None = Field(None, max_length=10)


class ChannelOut(BaseModel):
    """A channel, without its secrets."""

    id: str
    kind: str
    name: str
    shown: dict[str, Any]
    enabled: bool
    last_sent_at: datetime | None
    last_error: str
    created_at: datetime


class TestOut(BaseModel):
    """Whether a test message was taken, and why not."""

    delivered: bool
    error: str


class SubscriptionIn(Body):
    """What to hear, over which channels, when and how often."""

    name: str = Field(min_length=1, max_length=80)
    events: list[Annotated[str, Field(pattern=r"^[a-z_.*]{1,64}$")]] = Field(min_length=1, max_length=50)
    least: Severity = "info"
    strategy_id: str = Field("", max_length=64)
    channel_ids: list[Annotated[str, Field(max_length=26)]] = Field(max_length=20)
    quiet_from: Minute | None = None
    quiet_until: Minute | None = None
    time_zone: str = Field("UTC", max_length=64)
    digest_minutes: int = Field(0, ge=0, le=1440)
    per_hour: int = Field(0, ge=0, le=1000)
    escalate_minutes: int = Field(0, ge=0, le=1440)
    escalate_to: list[Annotated[str, Field(max_length=26)]] = Field(default_factory=list, max_length=5)
    enabled: bool = True


class SubscriptionOut(SubscriptionIn):
    """A subscription."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)

    id: str


class TemplateIn(Body):
    """A user's own wording of an event."""

    event: str = Field(max_length=64)
    locale: Literal["en", "zh-CN"]
    kind: str = Field("", max_length=24)
    title: str = Field(min_length=1, max_length=400)
    body: str = Field(min_length=1, max_length=4000)


class TemplateOut(TemplateIn):
    """A user's own wording."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)

    id: str
    updated_at: datetime


class PreviewIn(Body):
    """Templates to be filled with an event's example."""

    event: str = Field(max_length=64)
    title: str = Field(max_length=400)
    body: str = Field(max_length=4000)


class PreviewOut(BaseModel):
    """Templates, filled."""

    title: str
    body: str
    html: str


class NotificationOut(BaseModel):
    """A message of the inbox."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    event: str
    severity: str
    strategy_id: str
    title: str
    body: str
    data: dict[str, Any]
    created_at: datetime
    read_at: datetime | None
    acknowledged_at: datetime | None


class NotificationPage(BaseModel):
    """Messages, newest first; how many are unread; the cursor of the next page ("" when there is none)."""

    items: list[NotificationOut]
    unread: int
    next: str


class MarkIn(Body):
    """Messages to mark; all of them when none is named."""

    ids: list[Annotated[str, Field(max_length=26)]] = Field(default_factory=list, max_length=500)
    acknowledge: bool = False


class DeliveryOut(BaseModel):
    """What became of a message on its way over one channel."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    notification_id: str
    channel_id: str
    status: str
    attempts: int
    next_at: datetime
    sent_at: datetime | None
    error: str
