"""Every message is an immutable value that survives a process boundary."""

from __future__ import annotations

import dataclasses
import pickle
from decimal import Decimal

import pytest

from cashup.model import commands, events, instrument, market, order_events, order_terms, orders, position
from cashup.model.commands import SubmitOrder
from cashup.model.events import FundingPaid, OrderFilled, PositionChanged
from cashup.model.ids import Currency
from cashup.model.position import Position
from unit.model.builders import ACCOUNT, LINEAR, ORDER, fill, request

MODULES = (commands, events, instrument, market, order_events, order_terms, orders, position)
MESSAGES = sorted(
    {
        value
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, type)
        and dataclasses.is_dataclass(value)
        and value.__module__.startswith("cashup.model")
    },
    key=lambda cls: cls.__name__,
)


@pytest.mark.parametrize("cls", MESSAGES, ids=lambda cls: cls.__name__)
def test_messages_are_frozen_slotted_and_documented(cls: type) -> None:
    assert "__slots__" in vars(cls)
    assert getattr(cls, "__dataclass_params__").frozen  # noqa: B009 (private to the type checker)
    assert cls.__doc__
    assert not cls.__doc__.startswith(f"{cls.__name__}("), "the generated docstring says nothing"


def test_messages_survive_pickling() -> None:
    changed = Position(instrument=LINEAR, account_id=ACCOUNT).apply(fill("1", "100", instrument=LINEAR))
    when = {"ts_event": 1, "ts_init": 2}
    messages: list[object] = [
        SubmitOrder(account_id=ACCOUNT, requests=(request(),), ts_init=1),
        OrderFilled(client_order_id=ORDER, fill=fill("1", "100"), **when),
        PositionChanged(account_id=ACCOUNT, position=changed, realised=Decimal(0), **when),
        FundingPaid(
            account_id=ACCOUNT,
            instrument_id=LINEAR.id,
            quantity=Decimal(1),
            rate=Decimal("0.0001"),
            mark_price=Decimal(100),
            amount=Decimal("-0.01"),
            currency=Currency("USDT"),
            **when,
        ),
    ]
    assert pickle.loads(pickle.dumps(messages)) == messages


def test_every_event_of_the_journal_has_its_row_in_the_transition_table() -> None:
    kinds = {cls.kind for cls in events.OrderEvent.__subclasses__()}
    derived = {orders.OrderEventKind.PARTIALLY_FILLED}  # a fill that leaves something
    assert kinds | derived == set(orders.OrderEventKind)
