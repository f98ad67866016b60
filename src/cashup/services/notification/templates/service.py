"""Write messages from templates: the user's own where he has one, ours otherwise; sandboxed, and limited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cashup.model.errors import InputError, UnknownNameError, explain
from cashup.runtime.auth import Caller
from cashup.runtime.db import Database, utc_now
from cashup.runtime.ids import new_id
from cashup.services.notification.channels.kinds import KINDS
from cashup.services.notification.events import EVENTS
from cashup.services.notification.tables import TemplateRow

_MAX_SOURCE: Final = 4_000
_MAX_RESULT: Final = 20_000
_MAX_RANGE: Final = 100


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox without loops that never end, and without attributes that lead out of the data."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow nothing but what mappings and texts need: attributes of objects are not for templates."""
        return (
            isinstance(obj, str | dict | list | tuple)
            and super().is_safe_attribute(obj, attr, value)
            and attr in _METHODS
        )


_METHODS: Final = frozenset({"upper", "lower", "title", "strip", "replace", "items", "keys", "values", "get"})


def _range(*args: int) -> range:
    found = range(*args)
    if len(found) > _MAX_RANGE:
        raise TemplateError(f"more than {_MAX_RANGE} repetitions")
    return found


def _environment(undefined: type[Undefined]) -> _Environment:
    environment = _Environment(autoescape=False, undefined=undefined, trim_blocks=True)
    environment.globals.clear()
    environment.globals["range"] = _range
    for name in ("pprint", "center", "indent", "wordwrap", "format", "batch", "slice", "xmlattr", "tojson"):
        environment.filters.pop(name, None)
    return environment


_LENIENT: Final = _environment(Undefined)
_STRICT: Final = _environment(StrictUndefined)


@dataclass(frozen=True, slots=True)
class Written:
    """A message, written."""

    title: str
    body: str
    html: str


def write(title: str, body: str, data: Mapping[str, Any], *, strict: bool = False) -> Written:
    """Fill templates with data.

    Raises:
        InputError: A template is wrong; only when `strict` for names the data does not have.
    """
    environment = _STRICT if strict else _LENIENT
    parts = []
    for name, source in (("title", title), ("body", body)):
        if len(source) > _MAX_SOURCE:
            raise InputError(
                explain("the template is too long", expected=f"{_MAX_SOURCE} characters"), field=name
            )
        if "**" in source or "*" in source:
            _refuse_products(name, source)
        try:
            template = environment.from_string(source)
            text = ""
            for piece in template.generate(**data):
                text += piece
                if len(text) > _MAX_RESULT:
                    raise TemplateError(f"the text is longer than {_MAX_RESULT} characters")
        except (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError, MemoryError) as e:
            raise InputError(explain(f"the template cannot be filled: {str(e)[:200]}"), field=name) from e
        parts.append(text.strip())
    written_title = " ".join(parts[0].split())[:200]
    html = f"<h2>{escape(written_title)}</h2>" + "".join(
        f"<p>{escape(line)}</p>" for line in parts[1].splitlines()
    )
    return Written(written_title, parts[1], html)


def _refuse_products(name: str, source: str) -> None:
    """Refuse multiplication inside a template: texts and powers of unbounded size are made with it."""
    for part in source.split("{")[1:]:
        if "*" in part.split("}")[0]:
            raise InputError(explain("a template cannot multiply"), field=name)


class TemplateService:
    """Templates of users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def written(
        self,
        session: AsyncSession,
        *,
        user_id: str,
        event: str,
        locale: str,
        kind: str,
        data: Mapping[str, Any],
    ) -> Written:
        """Write a message for a user; a faulty template of his own falls back on ours."""
        query = select(TemplateRow).where(TemplateRow.user_id == user_id, TemplateRow.event == event)
        own = {(row.locale, row.kind): row for row in (await session.scalars(query)).all()}
        row = own.get((locale, kind)) or own.get((locale, ""))
        if row is not None:
            try:
                return write(row.title, row.body, data)
            except InputError:
                pass
        known = EVENTS[event]
        return write(
            known.title.get(locale, known.title["en"]), known.body.get(locale, known.body["en"]), data
        )

    async def list(self, caller: Caller) -> list[TemplateRow]:
        """Return the caller's templates."""
        query = select(TemplateRow).where(TemplateRow.user_id == caller.user_id).order_by(TemplateRow.event)
        async with self._database.read() as session:
            return list((await session.scalars(query)).all())

    async def save(
        self, caller: Caller, *, event: str, locale: str, kind: str, title: str, body: str
    ) -> TemplateRow:
        """Keep a template, after filling it with the event's example.

        Raises:
            UnknownNameError: There is no such event or kind of channel.
            InputError: The template cannot be filled.
        """
        preview(event, title, body)
        if kind and kind not in KINDS:
            raise UnknownNameError("channel", kind, KINDS, field="kind")
        async with self._database.write() as session:
            query = select(TemplateRow).where(
                TemplateRow.user_id == caller.user_id,
                TemplateRow.event == event,
                TemplateRow.locale == locale,
                TemplateRow.kind == kind,
            )
            row = (await session.scalars(query)).first()
            if row is None:
                row = TemplateRow(
                    id=new_id(),
                    user_id=caller.user_id,
                    event=event,
                    locale=locale,
                    kind=kind,
                    title="",
                    body="",
                    updated_at=utc_now(),
                )
                session.add(row)
            row.title, row.body, row.updated_at = title, body, utc_now()
        return row

    async def delete(self, caller: Caller, template_id: str) -> bool:
        """Forget a template of the caller's own; say whether there was one."""
        async with self._database.write() as session:
            row = await session.get(TemplateRow, template_id)
            if row is None or not caller.owns(row.user_id):
                return False
            await session.delete(row)
        return True


def preview(event: str, title: str, body: str) -> Written:
    """Fill templates with the example of an event (`UnknownNameError`, `InputError`)."""
    known = EVENTS.get(event)
    if known is None:
        raise UnknownNameError("event", event, EVENTS, field="event")
    return write(title, body, known.sample, strict=True)
