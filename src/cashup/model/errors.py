"""Every error CashUp raises on purpose, cut by what to do next.

```
CashUpError
├── ConfigError            a setting is wrong or missing          -> correct the setting, start again
├── InputError             an argument or command is wrong        -> correct the call
│   └── UnknownNameError   a name that does not exist             -> use one of the names offered
├── DataError              market data is wrong at a known place  -> repair or re-import that place
├── OrderRefused           we did not send the order              -> change the order; `reason` says why
├── ExchangeRejected       the venue answered no                  -> change the order; do not retry as it is
├── ExchangeUnavailable    the venue did not take the request     -> retry later; nothing happened there
├── OutcomeUnknown         sent, no answer                        -> never resend; ask the venue, then settle
├── StrategyFailed         the user's strategy raised             -> correct the strategy at file and line
└── InvariantBroken        a rule of ours does not hold           -> stop trading; it is a fault of CashUp
```

Every class has a `code` that never changes and may be matched on by programs. Every message says what was
found, where, and what would be right; `explain` writes messages in that form, `did_you_mean` finds the near
miss.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from cashup.model.reasons import OrderReason


def explain(found: str, *, where: str = "", expected: str = "", hint: str = "") -> str:
    """Write one message: what was found, where, what would be right, what to do.

    Args:
        found: What is wrong, as a clause without a full stop ("the fee is -0.1").
        where: Place of it ("configs/paper.yaml, line 12", "btc.csv:88, column close").
        expected: What would be right ("a fraction from 0 to 1, such as 0.001").
        hint: The next step, or a near miss ("did you mean 'taker_fee'?").
    """
    text = f"{where}: {found}" if where else found
    if expected:
        text += f"; expected {expected}"
    if hint:
        text += f". {hint[0].upper()}{hint[1:]}"
    return text if text.endswith((".", "?", "!")) else text + "."


def did_you_mean(name: str, options: Iterable[str]) -> str | None:
    """Return the option most like `name`, ignoring case, or None when none is near."""
    by_folded: dict[str, str] = {}
    for option in options:
        by_folded.setdefault(option.casefold(), option)
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None


class CashUpError(Exception):
    """Base of every error raised on purpose.

    Attributes:
        code: Stable identifier of the class, for programs, logs and the API.
        message: The text for a person; also `str(error)`.
    """

    code: ClassVar[str] = "cashup_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigError(CashUpError):
    """Report a wrong or missing setting.

    Attributes:
        source: File or environment the setting came from, or None.
        key: Dotted name of the setting, or None.
    """

    code: ClassVar[str] = "config_error"

    def __init__(self, message: str, *, source: str | Path | None = None, key: str | None = None) -> None:
        super().__init__(message)
        self.source = source
        self.key = key


class InputError(CashUpError):
    """Report a wrong argument, command-line option or request field.

    Attributes:
        field: Name of the argument or field, or None.
    """

    code: ClassVar[str] = "input_error"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


_OPTIONS_SHOWN = 12


class UnknownNameError(InputError):
    """Report a name that does not exist, and offer those that do.

    Attributes:
        kind: What the name should have named ("timeframe", "column", "strategy").
        name: The name that was given.
        options: All names that would have been right.
        suggestion: The nearest of them, or None.
    """

    code: ClassVar[str] = "unknown_name"

    def __init__(
        self, kind: str, name: str = "", options: Iterable[str] = (), *, field: str | None = None
    ) -> None:
        self.kind = kind
        self.name = name
        self.options = tuple(options)
        self.suggestion = did_you_mean(name, self.options)
        super().__init__(self._text(), field=field)

    def __reduce__(
        self,
    ) -> tuple[type[UnknownNameError], tuple[str, str, tuple[str, ...]], dict[str, object]]:
        """Survive pickling: the arguments are not the message."""
        return type(self), (self.kind, self.name, self.options), self.__dict__

    def _text(self) -> str:
        shown = ", ".join(self.options[:_OPTIONS_SHOWN])
        more = len(self.options) - _OPTIONS_SHOWN
        if more > 0:
            shown += f" and {more} more"
        expected = f"one of: {shown}" if shown else ""
        hint = f"did you mean {self.suggestion!r}?" if self.suggestion else ""
        return explain(f"unknown {self.kind} {self.name!r}", expected=expected, hint=hint)


class DataError(CashUpError):
    """Report wrong market data at a known place.

    Attributes:
        path: File the value came from, or None when it did not come from a file.
        line: Line in the file, counted from 1, or None.
        column: Name of the column or field, or None.
        value: The offending value, or None.
    """

    code: ClassVar[str] = "data_error"

    def __init__(
        self,
        found: str,
        *,
        path: str | Path | None = None,
        line: int | None = None,
        column: str | None = None,
        value: object = None,
        expected: str = "",
        hint: str = "",
    ) -> None:
        where = _place(path, line, column)
        if value is not None:
            found = f"{found} (found {value!r})" if isinstance(value, str) else f"{found} (found {value})"
        super().__init__(explain(found, where=where, expected=expected, hint=hint))
        self.path = path
        self.line = line
        self.column = column
        self.value = value


def _place(path: str | Path | None, line: int | None, column: str | None) -> str:
    parts = []
    if path is not None:
        parts.append(f"{path}:{line}" if line is not None else str(path))
    elif line is not None:
        parts.append(f"line {line}")
    if column is not None:
        parts.append(f"column {column}")
    return ", ".join(parts)


class OrderRefused(CashUpError):  # noqa: N818 (the field says "refused")
    """Report an order that was not sent, by our own rules.

    Attributes:
        reason: Why, as a stable code.
        field: The field of the order that would have to change, or None.
    """

    code: ClassVar[str] = "order_refused"

    def __init__(
        self, message: str, *, reason: OrderReason = OrderReason.RISK_LIMIT, field: str | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field


class ExchangeRejected(CashUpError):  # noqa: N818 (the field says "rejected")
    """Report that the venue answered no. The same request will be refused again.

    Attributes:
        venue: Name of the exchange.
        reason: Our reading of the answer; `OrderReason.VENUE` when there is none.
        venue_code: The venue's own error code, or "".
        venue_message: The venue's own words, or "".
    """

    code: ClassVar[str] = "exchange_rejected"

    def __init__(
        self,
        message: str,
        *,
        venue: str = "",
        reason: OrderReason = OrderReason.VENUE,
        venue_code: str = "",
        venue_message: str = "",
    ) -> None:
        super().__init__(message)
        self.venue = venue
        self.reason = reason
        self.venue_code = venue_code
        self.venue_message = venue_message


class ExchangeUnavailable(CashUpError):  # noqa: N818 (the state of the venue)
    """Report that the venue did not take the request: nothing happened there, and it may be retried.

    Attributes:
        venue: Name of the exchange.
        retry_after_ns: How long to wait, in nanoseconds, when the venue said so; else None.
    """

    code: ClassVar[str] = "exchange_unavailable"

    def __init__(self, message: str, *, venue: str = "", retry_after_ns: int | None = None) -> None:
        super().__init__(message)
        self.venue = venue
        self.retry_after_ns = retry_after_ns


class OutcomeUnknown(CashUpError):  # noqa: N818 (the state of the request)
    """Report a request that was sent and not answered. Never resend it: ask the venue what became of it.

    Attributes:
        venue: Name of the exchange.
        client_order_id: The order concerned, or "" when the request was not about one order.
    """

    code: ClassVar[str] = "outcome_unknown"

    def __init__(self, message: str, *, venue: str = "", client_order_id: str = "") -> None:
        super().__init__(message)
        self.venue = venue
        self.client_order_id = client_order_id


class StrategyFailed(CashUpError):  # noqa: N818 (what happened)
    """Report that the user's strategy raised an exception.

    Attributes:
        strategy: Name of the strategy.
        callback: The method that was running ("on_bar").
        bar_time: Open time of the bar, ISO 8601 UTC, or "" outside a bar.
        file: The user's file, or "".
        line: Line in that file, counted from 1; 0 when unknown.
    """

    code: ClassVar[str] = "strategy_failed"

    def __init__(
        self,
        message: str,
        *,
        strategy: str = "",
        callback: str = "",
        bar_time: str = "",
        file: str | Path = "",
        line: int = 0,
    ) -> None:
        super().__init__(message)
        self.strategy = strategy
        self.callback = callback
        self.bar_time = bar_time
        self.file = file
        self.line = line

    @classmethod
    def of(
        cls,
        error: BaseException,
        *,
        strategy: str,
        callback: str,
        bar_time: str = "",
        file: str | Path = "",
        line: int = 0,
    ) -> StrategyFailed:
        """Describe `error`, raised by `strategy` in `callback`, in one sentence."""
        where = f"{file}:{line}" if file else ""
        when = f" at the bar of {bar_time}" if bar_time else ""
        what = f"{strategy}.{callback} raised {type(error).__name__}{when}: {error}"
        return cls(
            explain(what, where=where),
            strategy=strategy,
            callback=callback,
            bar_time=bar_time,
            file=file,
            line=line,
        )


class InvariantBroken(CashUpError):  # noqa: N818 (what happened)
    """Report that a rule CashUp guarantees does not hold. Trading must stop; the fault is ours."""

    code: ClassVar[str] = "invariant_broken"
