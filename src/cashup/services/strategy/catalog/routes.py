"""HTTP of strategies. Decisions are the service's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cashup.model.errors import InputError, UnknownNameError, explain
from cashup.runtime.auth import Caller, Permission
from cashup.runtime.context import require
from cashup.runtime.etag import match_version, show_version
from cashup.services.strategy import schemas
from cashup.services.strategy.catalog.service import CatalogService

Reader = Annotated[Caller, Depends(require(Permission.STRATEGY_READ))]
Writer = Annotated[Caller, Depends(require(Permission.STRATEGY_WRITE))]
Version = Annotated[int | None, Depends(match_version)]
Number = Annotated[int, Query(ge=1, le=2**31 - 1)]


def router(catalog: CatalogService) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1/strategies", tags=["strategies"])
    _add_templates(routes, catalog)
    _add_strategies(routes, catalog)
    _add_versions(routes, catalog)
    return routes


def _add_templates(routes: APIRouter, catalog: CatalogService) -> None:
    @routes.get("/templates")
    async def list_templates(_caller: Reader) -> list[schemas.TemplateOut]:
        """List the strategies that come with the product, with their code."""
        return [
            schemas.TemplateOut(name=name, code=path.read_text(encoding="utf-8"))
            for name, path in sorted(catalog.templates.items())
        ]

    @routes.post("/check")
    async def check_code(caller: Writer, body: schemas.CheckIn) -> schemas.CheckOut:
        """Load code behind the fence and say what it is; nothing is kept."""
        outline, problem = await catalog.inspect(caller, body.code)
        return schemas.CheckOut(outline=outline, problem=problem)


def _add_strategies(routes: APIRouter, catalog: CatalogService) -> None:
    @routes.get("")
    async def list_strategies(
        caller: Reader,
        after: Annotated[str, Query(max_length=26)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        text: Annotated[str, Query(max_length=80)] = "",
        status: Annotated[str, Query(pattern="^(draft|active|archived)?$")] = "",
    ) -> schemas.StrategyPage:
        """List the caller's strategies."""
        rows = await catalog.page(caller, after=after, limit=limit + 1, text=text, status=status)
        items = [schemas.StrategyOut.model_validate(row) for row in rows[:limit]]
        return schemas.StrategyPage(items=items, next=items[-1].id if len(rows) > limit else "")

    @routes.post("", status_code=201)
    async def create_strategy(caller: Writer, body: schemas.StrategyIn) -> schemas.StrategyOut:
        """Keep a new strategy, from code or from a template."""
        code = body.code
        if body.template:
            if body.template not in catalog.templates:
                raise UnknownNameError("template", body.template, catalog.templates, field="template")
            code = catalog.templates[body.template].read_text(encoding="utf-8")
        if not code.strip():
            raise InputError(
                explain("there is no code", expected="code, or the name of a template"), field="code"
            )
        row = await catalog.create(
            caller, name=body.name, code=code, description=body.description, tags=body.tags, note=body.note
        )
        return schemas.StrategyOut.model_validate(row)

    @routes.get("/{strategy_id}")
    async def show_strategy(caller: Reader, strategy_id: str, response: Response) -> schemas.StrategyDetail:
        """Show a strategy with the version in use."""
        row = await catalog.owned(caller, strategy_id, see=True)
        in_use = await catalog.version(row, row.current)
        show_version(response, row.version)
        return schemas.StrategyDetail(
            **schemas.StrategyOut.model_validate(row).model_dump(),
            in_use=schemas.CodeOut.model_validate(in_use),
        )

    @routes.patch("/{strategy_id}")
    async def change_strategy(
        caller: Writer, strategy_id: str, body: schemas.StrategyChange, version: Version
    ) -> schemas.StrategyOut:
        """Change a strategy's name, description, tags, status, configuration or version in use."""
        changes = body.model_dump(exclude_none=True)
        return schemas.StrategyOut.model_validate(await catalog.change(caller, strategy_id, changes, version))

    @routes.delete("/{strategy_id}", status_code=204)
    async def delete_strategy(caller: Writer, strategy_id: str) -> None:
        """Forget a strategy with its versions."""
        await catalog.delete(caller, strategy_id)


def _add_versions(routes: APIRouter, catalog: CatalogService) -> None:
    @routes.get("/{strategy_id}/versions")
    async def list_versions(caller: Reader, strategy_id: str) -> list[schemas.VersionOut]:
        """List the versions of a strategy, newest first."""
        row = await catalog.owned(caller, strategy_id, see=True)
        return [schemas.VersionOut.model_validate(one) for one in await catalog.versions(row)]

    @routes.post("/{strategy_id}/versions", status_code=201)
    async def save_version(
        caller: Writer, strategy_id: str, body: schemas.VersionIn, version: Version
    ) -> schemas.VersionOut:
        """Keep a new version and use it from now on."""
        saved = await catalog.save(caller, strategy_id, code=body.code, note=body.note, version=version)
        return schemas.VersionOut.model_validate(saved)

    @routes.get("/{strategy_id}/versions/{number}")
    async def show_version_code(caller: Reader, strategy_id: str, number: int) -> schemas.CodeOut:
        """Show one version with its code."""
        row = await catalog.owned(caller, strategy_id, see=True)
        return schemas.CodeOut.model_validate(await catalog.version(row, min(max(number, 0), 2**31 - 1)))

    @routes.get("/{strategy_id}/diff")
    async def compare_versions(caller: Reader, strategy_id: str, old: Number, new: Number) -> schemas.DiffOut:
        """Show what changed between two versions."""
        row = await catalog.owned(caller, strategy_id, see=True)
        return schemas.DiffOut(diff=await catalog.difference(row, old, new))
