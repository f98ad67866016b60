"""What a strategy may ask about a position, for compiled and Python callers alike."""

from __future__ import annotations

from cashup.kernel import types as kt
from cashup.kernel.function import FLOAT, INT, exported
from cashup.kernel.ledger import notional, profit
from cashup.kernel.records import as_run, instrument_at, position_at


@exported(INT, INT, returns=FLOAT)
def position_value(address: int, k: int) -> float:
    """Return the signed worth of position k: spot at the last price, perpetuals at the mark price."""
    run = as_run(address)
    position = position_at(run.positions, k)
    if position.quantity == 0.0:
        return 0.0
    instrument = instrument_at(run.instruments, k)
    price = position.last_price if instrument.kind == kt.SPOT else position.mark_price
    return notional(instrument.kind, position.quantity * instrument.contract_size, price)


@exported(INT, INT, returns=FLOAT)
def position_pnl(address: int, k: int) -> float:
    """Return the unrealised profit of position k, before fees."""
    run = as_run(address)
    position = position_at(run.positions, k)
    instrument = instrument_at(run.instruments, k)
    price = position.last_price if instrument.kind == kt.SPOT else position.mark_price
    return profit(instrument.kind, position.quantity * instrument.contract_size, position.entry_price, price)


@exported(INT, INT, returns=FLOAT)
def position_pnl_fraction(address: int, k: int) -> float:
    """Return the unrealised profit of position k as a fraction of its worth at entry; 0.0 when flat."""
    run = as_run(address)
    position = position_at(run.positions, k)
    if position.quantity == 0.0:
        return 0.0
    instrument = instrument_at(run.instruments, k)
    worth = notional(instrument.kind, abs(position.quantity) * instrument.contract_size, position.entry_price)
    return position_pnl(address, k) / worth
