"""Memory layout and integer codes shared by everything that is compiled.

A run lives in plain memory: a handful of structured arrays whose every field is eight bytes wide, so that
compiled code reaches them through raw addresses (no reference counting) and Python reaches the same bytes
through NumPy. Layouts are data, not classes: one place says what a column means and in which unit.

Units: prices, quantities and money are float64 in the instrument's own units (quantity in base units or
contracts, money in the settlement currency); times are int64 nanoseconds UTC; addresses are int64.
"""

from __future__ import annotations

from typing import Final

import numpy as np

# Instrument kinds.
SPOT: Final = 0
LINEAR: Final = 1
INVERSE: Final = 2

# Margin modes (perpetuals only; spot is NO_MARGIN).
NO_MARGIN: Final = 0
ISOLATED: Final = 1
CROSS: Final = 2

# Order sides. The sign is used in arithmetic.
BUY: Final = 1
SELL: Final = -1

# Order types.
MARKET: Final = 0
LIMIT: Final = 1
STOP: Final = 2
STOP_LIMIT: Final = 3
TRAILING_STOP: Final = 4
TAKE_PROFIT: Final = 5
TAKE_PROFIT_LIMIT: Final = 6

# Time in force.
GTC: Final = 0
IOC: Final = 1
FOK: Final = 2
GTD: Final = 3

# Order flags (bits).
REDUCE_ONLY: Final = 1
POST_ONLY: Final = 2
CLIP: Final = 4  # shrink to what the account can afford instead of being rejected
VALUE_SIZED: Final = 8  # quantity is worked out at the fill from `value` (money, fees included)
CLOSE_POSITION: Final = 16  # quantity is whatever the position is at the fill
TRAIL_FRACTION: Final = 32  # `trail` is a fraction of the reference price, else a price distance

# Order status.
HELD: Final = 0  # waits for its parent order to fill (bracket child)
SUBMITTED: Final = 1  # on its way; reaches the book at `active_ts`
ACCEPTED: Final = 2  # resting
TRIGGERED: Final = 3  # its stop price was touched; now works as market or limit
PARTIALLY_FILLED: Final = 4
FILLED: Final = 5
CANCELLED: Final = 6
REJECTED: Final = 7
EXPIRED: Final = 8
FIRST_FINAL_STATUS: Final = FILLED

# Why an order was rejected, cancelled or expired.
REASON_NONE: Final = 0
REASON_USER: Final = 1
REASON_OCO: Final = 2  # another order of its group filled
REASON_PARENT: Final = 3  # its parent ended without a fill
REASON_POSITION_CLOSED: Final = 4  # reduce-only and nothing left to reduce
REASON_INSUFFICIENT_BALANCE: Final = 5
REASON_MIN_QUANTITY: Final = 6
REASON_MIN_NOTIONAL: Final = 7
REASON_MAX_QUANTITY: Final = 8
REASON_BAD_QUANTITY: Final = 9  # NaN, infinite, zero or negative
REASON_BAD_PRICE: Final = 10  # NaN, infinite or not positive where a price is needed
REASON_SHORT_NOT_ALLOWED: Final = 11  # selling more than is held on spot
REASON_POST_ONLY: Final = 12  # would have taken liquidity
REASON_REDUCE_ONLY: Final = 13  # would have opened or increased a position
REASON_IOC: Final = 14  # the rest of an immediate-or-cancel order
REASON_FOK: Final = 15  # could not be filled whole at once
REASON_GTD: Final = 16  # its time ran out
REASON_LIQUIDATION: Final = 17
REASON_LEVERAGE: Final = 18  # above the tier's or the instrument's maximum leverage
REASON_UNKNOWN_INSTRUMENT: Final = 19
REASON_END_OF_RUN: Final = 20
REASON_TOO_MANY: Final = 21  # more orders in one bar than the table reserves
REASON_RISK_LIMIT: Final = 22  # a risk rule of ours did not let it out

# Kinds of fill.
FILL_TRADE: Final = 0
FILL_LIQUIDATION: Final = 1

# Slippage models. `slippage` is the model's coefficient.
SLIP_NONE: Final = 0
SLIP_RATE: Final = 1  # fraction of the price (0.0005 = 5 basis points)
SLIP_SPREAD: Final = 2  # half the quoted spread, in price units
SLIP_VOLUME_SHARE: Final = 3  # coefficient x (quantity / bar volume)^2, as a fraction of the price
SLIP_SQRT_IMPACT: Final = 4  # coefficient x (high-low)/open x sqrt(quantity / bar volume)

# When a resting limit order fills.
LIMIT_TOUCH: Final = 0  # the bar reaches the limit price
LIMIT_CROSS: Final = 1  # the bar trades through the limit price

# What the loop tells its driver when it returns.
RUN_DONE: Final = 0
RUN_GROW: Final = 1  # a table is nearly full: enlarge it and call again; nothing is lost
RUN_STOPPED: Final = 2  # a callback returned non-zero: an error, or the strategy asked to stop
RUN_BANKRUPT: Final = 3  # equity is not above zero; the rest of the curve is flat

# Events handed to the strategy's one entry point.
ON_START: Final = 0
ON_BAR: Final = 1
ON_FILL: Final = 2  # argument: fill index
ON_ORDER: Final = 3  # argument: order id
ON_FUNDING: Final = 4  # argument: payment index
ON_STOP: Final = 5

# Bits of RUN.wants: which callbacks, besides on_bar, the strategy has.
WANTS_FILL: Final = 1
WANTS_ORDER: Final = 2
WANTS_FUNDING: Final = 4

_I = "i8"
_F = "f8"


def _record(*fields: tuple[str, str]) -> np.dtype[np.void]:
    return np.dtype(list(fields), align=True)


#: One run. `i` walks the match bars (the finest data), `d` the decision bars (the strategy's timeframe).
RUN: Final = _record(
    ("i", _I),  # match bar being processed, -1 before the first
    ("next_i", _I),  # match bar the loop processes next: where a grown run goes on
    ("started", _I),  # 1 once ON_START was sent
    ("d", _I),  # last closed decision bar; the cursor of every Series of the strategy's own timeframe
    ("now", _I),  # close time of the match bar
    ("n_match", _I),
    ("n_decision", _I),
    ("first_decision", _I),  # warm-up: on_bar is called from this decision bar on
    ("n_instruments", _I),
    ("status", _I),  # RUN_*
    ("wants", _I),  # WANTS_* bits
    ("seed", _I),
    # rules
    ("slippage_model", _I),
    ("slippage", _F),
    ("limit_rule", _I),
    ("volume_limit", _F),  # largest share of a bar's volume all our fills may take; 0 = no limit
    ("latency", _I),  # ns between the decision and the order's arrival at the venue
    # money, in the settlement currency
    ("initial_cash", _F),
    ("cash", _F),  # spot: free money. Perpetuals: wallet balance (realised profit, fees and funding included)
    ("fees", _F),  # sum paid (rebates negative)
    ("funding", _F),  # sum received minus paid
    ("slippage_cost", _F),  # sum of |fill price - price without slippage| x quantity
    ("turnover", _F),  # sum of notional traded
    ("locked", _F),  # isolated margin held by positions
    # counters
    ("n_liquidations", _I),
    ("n_ambiguous", _I),  # bars where stop and target both lay inside the bar and the worse was taken
    ("n_rejected", _I),
    ("n_margined", _I),  # open positions that need watching every bar (not spot)
    ("n_cross", _I),  # of these, those that share the account's equity as margin
    # tables
    ("n_orders", _I),  # order ids are 1..n_orders; row = id - 1
    ("cap_orders", _I),
    ("n_open", _I),  # entries in open_orders
    ("n_ended", _I),  # entries of open_orders whose order has ended and that await removal
    ("n_fills", _I),
    ("cap_fills", _I),
    ("n_payments", _I),
    ("cap_payments", _I),
    ("n_updates", _I),  # order ids whose status changed since the last callback (for on_order)
    ("cap_updates", _I),
    ("n_groups", _I),  # last OCO group id given out
    ("seen_fills", _I),  # fills the strategy has been told of
    ("seen_payments", _I),  # payments the strategy has been told of
    # addresses
    ("instruments", _I),  # INSTRUMENT[n_instruments]
    ("positions", _I),  # POSITION[n_instruments]
    ("tiers", _I),  # TIER[]
    ("orders", _I),  # ORDER[cap_orders]
    ("open_orders", _I),  # int64[cap_orders], ids in order of arrival
    ("fills", _I),  # FILL[cap_fills]
    ("payments", _I),  # PAYMENT[cap_payments]
    ("updates", _I),  # int64[cap_updates]
    ("open_ts", _I),  # int64[n_match] open time of each match bar
    ("close_ts", _I),  # int64[n_match] close time of each match bar
    ("decision", _I),  # int64[n_match]: decision bar that closes with this match bar, else -1; 0 = identity
    ("equity", _I),  # float64[n_decision]
    ("strategy", _I),  # the strategy's own block, handed to the callback
)

#: One instrument: constants, and addresses of its columns over the match bars (NaN where it has no bar).
INSTRUMENT: Final = _record(
    ("kind", _I),
    ("margin_mode", _I),
    ("leverage", _F),
    ("tick", _F),  # 0 = any price
    ("lot", _F),  # 0 = any quantity
    ("min_quantity", _F),
    ("max_quantity", _F),  # 0 = no maximum
    ("min_notional", _F),
    ("contract_size", _F),
    ("maker_fee", _F),
    ("taker_fee", _F),
    ("max_leverage", _F),  # 0 = no maximum
    ("tier_start", _I),
    ("tier_count", _I),
    ("open", _I),
    ("high", _I),
    ("low", _I),
    ("close", _I),
    ("volume", _I),
    ("mark", _I),  # float64[n_match] mark price at each bar's close; 0 = the close itself
    ("funding_ts", _I),
    ("funding_rate", _I),
    ("funding_mark", _I),  # float64: mark price at settlement, NaN = last price; 0 = none recorded
    ("n_funding", _I),
)

#: State of one instrument during the run.
POSITION: Final = _record(
    ("quantity", _F),  # signed
    ("entry_price", _F),  # average; 0 when flat
    ("last_price", _F),  # last known close
    ("mark_price", _F),
    ("margin", _F),  # isolated margin locked, funding charged against it
    ("liquidation_price", _F),  # NaN = none
    ("realized", _F),  # profit of closed quantity, before fees and funding
    ("fees", _F),
    ("funding", _F),
    ("opened_ts", _I),
    ("next_funding", _I),  # index into the funding arrays
    ("n_open", _I),  # open orders on this instrument
    ("bar_volume_used", _F),  # share of the current bar's volume our fills took, in quantity
    ("ambiguous_ts", _I),  # close time of the last bar counted as ambiguous, -1 = none
)

#: Maintenance tiers of margined instruments, ordered by notional.
TIER: Final = _record(
    ("notional_floor", _F),
    ("max_leverage", _F),
    ("maintenance_rate", _F),
    ("maintenance_amount", _F),  # deduction that makes maintenance margin continuous over tiers
)

ORDER: Final = _record(
    ("id", _I),
    ("instrument", _I),
    ("side", _I),
    ("type", _I),
    ("time_in_force", _I),
    ("flags", _I),
    ("status", _I),
    ("reason", _I),
    ("quantity", _F),
    ("value", _F),
    ("filled", _F),
    ("average_price", _F),
    ("fee", _F),
    ("price", _F),  # limit price
    ("stop_price", _F),  # trigger price; of a trailing stop, the current one
    ("trail", _F),
    ("trail_extreme", _F),  # best price seen since the trailing stop became active
    ("group", _I),  # OCO group, 0 = none
    ("parent", _I),  # id of the order whose fill activates this one, 0 = none
    ("tag", _I),  # the user's own number
    ("created_ts", _I),
    ("active_ts", _I),
    ("expire_ts", _I),  # 0 = never
    ("cancel_ts", _I),  # a cancel was asked for and arrives then; 0 = none
    ("done_ts", _I),
    ("created_d", _I),
    ("rested", _I),  # 1 once it has rested on the book: it fills as maker
    ("spent_ts", _I),  # close time of the bar whose volume our fills used up before this order was whole
)

FILL: Final = _record(
    ("order", _I),
    ("instrument", _I),
    ("side", _I),
    ("kind", _I),  # FILL_*
    ("maker", _I),
    ("ts", _I),  # open time of the match bar for fills at the open, its close time for fills inside it
    ("i", _I),
    ("d", _I),  # decision bar in which it happened (the one that will close next)
    ("price", _F),
    ("quantity", _F),
    ("fee", _F),
    ("realized", _F),  # profit of the quantity this fill closed, before fees
    ("position", _F),  # signed quantity after the fill
    ("tag", _I),
)

PAYMENT: Final = _record(
    ("instrument", _I),
    ("ts", _I),
    ("rate", _F),
    ("price", _F),  # mark price it was computed on
    ("quantity", _F),
    ("amount", _F),  # positive = received
    ("fills", _I),  # fills of the run entered before it: how payments and fills follow each other
)
