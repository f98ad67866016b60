"""The states an order passes through, and the one table that says which event leads where.

```
            INITIALIZED ──▶ HELD (bracket child waits for its parent)
                 │  └──▶ DENIED (our risk rules)
                 ▼
             SUBMITTED ──▶ UNKNOWN (sent, no answer: reconciled, never resent) ──▶ REJECTED
                 ▼
             ACCEPTED ──▶ TRIGGERED ──▶ PARTIALLY_FILLED ──▶ FILLED
                 │            PENDING_CANCEL · PENDING_AMEND (we asked, the venue has not answered)
                 └──▶ CANCELLED · EXPIRED
```
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class OrderStatus(StrEnum):
    """Where an order is in its life."""

    INITIALIZED = "initialized"
    """Made, not yet judged."""
    HELD = "held"
    """Allowed, kept by us until its parent fills."""
    SUBMITTED = "submitted"
    """Sent; no answer yet."""
    UNKNOWN = "unknown"
    """Sent, and the answer was lost: it may or may not exist at the venue."""
    ACCEPTED = "accepted"
    """The venue has it."""
    TRIGGERED = "triggered"
    """Its trigger price was reached; it now works as a market or limit order."""
    PARTIALLY_FILLED = "partially_filled"
    """Part of it traded, the rest works."""
    PENDING_CANCEL = "pending_cancel"
    """We asked the venue to cancel it; it may still fill."""
    PENDING_AMEND = "pending_amend"
    """We asked the venue to change it; the old terms hold until it answers."""
    DENIED = "denied"
    """Our own rules did not let it out."""
    REJECTED = "rejected"
    """The venue did not take it."""
    FILLED = "filled"
    """All of it traded."""
    CANCELLED = "cancelled"
    """Ended on request, with or without fills."""
    EXPIRED = "expired"
    """Its time ran out, with or without fills."""

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self in FINAL_STATUSES

    @property
    def is_open(self) -> bool:
        """Whether it exists, or may exist, at the venue and can still trade."""
        return self in OPEN_STATUSES


class OrderEventKind(StrEnum):
    """What can happen to an order."""

    DENIED = "denied"
    HELD = "held"
    SUBMITTED = "submitted"
    OUTCOME_UNKNOWN = "outcome_unknown"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    TRIGGERED = "triggered"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCEL_PENDING = "cancel_pending"
    CANCEL_REJECTED = "cancel_rejected"
    CANCELLED = "cancelled"
    AMEND_PENDING = "amend_pending"
    AMEND_REJECTED = "amend_rejected"
    AMENDED = "amended"
    EXPIRED = "expired"


FINAL_STATUSES: Final = frozenset(
    {
        OrderStatus.DENIED,
        OrderStatus.REJECTED,
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.EXPIRED,
    }
)

OPEN_STATUSES: Final = frozenset(
    {
        OrderStatus.SUBMITTED,
        OrderStatus.UNKNOWN,
        OrderStatus.ACCEPTED,
        OrderStatus.TRIGGERED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.PENDING_CANCEL,
        OrderStatus.PENDING_AMEND,
    }
)


class Resume(StrEnum):
    """The one target in the table that is not a status of its own."""

    WORKING = "working"
    """Back to what its facts say: partially filled, triggered, accepted, unknown, or only submitted."""


Transitions = Mapping[OrderStatus, Mapping[OrderEventKind, OrderStatus | Resume]]

_S = OrderStatus
_E = OrderEventKind

#: Endings a venue can report of any order it has or may have.
_ENDINGS: Final = {
    _E.FILLED: _S.FILLED,
    _E.CANCELLED: _S.CANCELLED,
    _E.EXPIRED: _S.EXPIRED,
}

TRANSITIONS: Final[Transitions] = MappingProxyType(
    {
        _S.INITIALIZED: {
            _E.DENIED: _S.DENIED,
            _E.HELD: _S.HELD,
            _E.SUBMITTED: _S.SUBMITTED,
        },
        _S.HELD: {
            _E.DENIED: _S.DENIED,
            _E.SUBMITTED: _S.SUBMITTED,
            _E.AMENDED: _S.HELD,
            _E.CANCELLED: _S.CANCELLED,
            _E.EXPIRED: _S.EXPIRED,
        },
        _S.SUBMITTED: _ENDINGS
        | {
            _E.OUTCOME_UNKNOWN: _S.UNKNOWN,
            _E.ACCEPTED: _S.ACCEPTED,
            _E.REJECTED: _S.REJECTED,
            _E.TRIGGERED: _S.TRIGGERED,
            _E.PARTIALLY_FILLED: _S.PARTIALLY_FILLED,
            _E.CANCEL_PENDING: _S.PENDING_CANCEL,
        },
        _S.UNKNOWN: _ENDINGS
        | {
            _E.ACCEPTED: _S.ACCEPTED,
            _E.REJECTED: _S.REJECTED,
            _E.TRIGGERED: _S.TRIGGERED,
            _E.PARTIALLY_FILLED: _S.PARTIALLY_FILLED,
            _E.CANCEL_PENDING: _S.PENDING_CANCEL,
            # "No such order" answers the cancel only: the order may still be on its way.
            _E.CANCEL_REJECTED: _S.UNKNOWN,
        },
        _S.ACCEPTED: _ENDINGS
        | {
            _E.TRIGGERED: _S.TRIGGERED,
            _E.PARTIALLY_FILLED: _S.PARTIALLY_FILLED,
            _E.CANCEL_PENDING: _S.PENDING_CANCEL,
            _E.AMEND_PENDING: _S.PENDING_AMEND,
            _E.AMENDED: _S.ACCEPTED,
            # A venue may accept and reject later: post-only or margin is judged when a stop triggers.
            _E.REJECTED: _S.REJECTED,
        },
        _S.TRIGGERED: _ENDINGS
        | {
            # The acknowledgement by REST may arrive after the trigger or fill by WebSocket.
            _E.ACCEPTED: _S.TRIGGERED,
            _E.PARTIALLY_FILLED: _S.PARTIALLY_FILLED,
            _E.CANCEL_PENDING: _S.PENDING_CANCEL,
            _E.AMEND_PENDING: _S.PENDING_AMEND,
            _E.AMENDED: _S.TRIGGERED,
            _E.REJECTED: _S.REJECTED,
        },
        _S.PARTIALLY_FILLED: _ENDINGS
        | {
            _E.ACCEPTED: _S.PARTIALLY_FILLED,
            _E.PARTIALLY_FILLED: _S.PARTIALLY_FILLED,
            _E.CANCEL_PENDING: _S.PENDING_CANCEL,
            _E.AMEND_PENDING: _S.PENDING_AMEND,
            _E.AMENDED: _S.PARTIALLY_FILLED,
        },
        _S.PENDING_CANCEL: _ENDINGS
        | {
            # The answer to the order itself may be lost while a cancel is under way.
            _E.OUTCOME_UNKNOWN: _S.UNKNOWN,
            _E.ACCEPTED: _S.PENDING_CANCEL,
            _E.REJECTED: _S.REJECTED,
            _E.TRIGGERED: _S.PENDING_CANCEL,
            _E.PARTIALLY_FILLED: _S.PENDING_CANCEL,
            _E.AMENDED: _S.PENDING_CANCEL,
            _E.AMEND_REJECTED: _S.PENDING_CANCEL,
            _E.CANCEL_REJECTED: Resume.WORKING,
        },
        _S.PENDING_AMEND: _ENDINGS
        | {
            _E.ACCEPTED: _S.PENDING_AMEND,
            _E.REJECTED: _S.REJECTED,
            _E.TRIGGERED: _S.PENDING_AMEND,
            _E.PARTIALLY_FILLED: _S.PENDING_AMEND,
            _E.CANCEL_PENDING: _S.PENDING_CANCEL,
            _E.AMENDED: Resume.WORKING,
            _E.AMEND_REJECTED: Resume.WORKING,
        },
        **{status: {} for status in sorted(FINAL_STATUSES)},
    }
)
