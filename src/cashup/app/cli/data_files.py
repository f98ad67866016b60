"""`cashup data list | import | export | delete`: what goes into the store and comes out of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cashup.app.cli.data_options import (
    AnyKind,
    Json,
    Kind,
    Name,
    Since,
    TimeframeOption,
    Until,
    day_text,
    key_of,
    open_store,
    size_text,
    time_text,
)
from cashup.app.cli.terminal import print_json, print_table, reporting

if TYPE_CHECKING:
    from cashup.data.datasets import DatasetKey
    from cashup.data.importers import Imported


def list_datasets(json: Json = False) -> None:
    """List the stored datasets."""
    from cashup.data.catalog import Catalog

    with reporting():
        store = open_store()
        found = Catalog(store).list()
    if json:
        print_json([info.to_dict() for info in found])
    elif not found:
        print(f"no data in {store.root}; add some: cashup data import FILE, or cashup data download")
    else:
        columns = ("name", "kind", "bars", "first", "last", "rows>", "missing>", "size>")
        rows = (
            (
                info.name,
                info.kind,
                info.timeframe,
                day_text(info.first),
                day_text(info.last),
                f"{info.rows:,}",
                info.missing,
                size_text(info.size),
            )
            for info in found
        )
        print_table("", columns, rows)


def import_files(
    files: Annotated[
        list[Path], typer.Argument(help="Files: CSV, JSON, Parquet, Feather; gz, zip, xz, bz2.")
    ],
    name: Annotated[
        str | None, typer.Option(help="Name to store under; guessed from the file's name when left out.")
    ] = None,
    kind: AnyKind = None,
    timeframe: TimeframeOption = None,
    symbol: Annotated[str | None, typer.Option(help="Instrument to take from a file of several.")] = None,
    columns: Annotated[
        str | None, typer.Option(help="Names of the columns in their order, such as ts,open,high,low,close.")
    ] = None,
    sort: Annotated[bool, typer.Option("--sort", help="Sort rows that are out of order.")] = False,
    duplicates: Annotated[
        Literal["refuse", "first", "last"], typer.Option(help="Which of several rows of one time to keep.")
    ] = "refuse",
    conflicts: Annotated[
        Literal["replace", "keep", "refuse"],
        typer.Option(help="What to do with rows that are stored with other values."),
    ] = "replace",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the stored dataset instead of adding to it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check only.")] = False,
    json: Json = False,
) -> None:
    """Import files; all of them are read and checked before anything is stored."""
    from cashup.data.importers import read_file

    with reporting():
        named = columns.split(",") if columns else None
        read = [
            read_file(
                path,
                kind=kind,
                timeframe=timeframe,
                symbol=symbol,
                columns=named,
                sort=sort,
                duplicates=duplicates,
            )
            for path in files
        ]
        keys = [_dataset_of(imported, name) for imported in read]
        results = [] if dry_run else _store_all(read, keys, conflicts, overwrite=overwrite)
    summary = [_summary(imported, key) for imported, key in zip(read, keys, strict=True)]
    if json:
        print_json({"files": summary, "stored": results})
        return
    for imported, entry in zip(read, summary, strict=True):
        print(f"{entry['file']}: {entry['rows']:,} rows, {entry['first']} .. {entry['last']}")
        for note in imported.notes:
            print(f"  note: {note}")
    for result in results:
        print(f"stored {result['dataset']}: {result['rows']:,} rows ({result['added']:+,})")


def _dataset_of(imported: Imported, name: str | None) -> DatasetKey:
    from cashup.data.datasets import DatasetKey
    from cashup.model.errors import InputError, explain

    chosen = name or imported.name
    if chosen is None:
        raise InputError(
            explain(
                f"the name of {imported.path} does not say which instrument it is of",
                hint="name it, such as --name binance:BTC/USDT",
            ),
            field="name",
        )
    return DatasetKey.of(chosen, imported.kind, imported.timeframe)


def _store_all(
    read: list[Imported],
    keys: list[DatasetKey],
    conflicts: Literal["replace", "keep", "refuse"],
    *,
    overwrite: bool,
) -> list[dict[str, Any]]:
    """Store the rows of each dataset in one change."""
    from cashup.data.merge import join

    store, results = open_store(), []
    for key in dict.fromkeys(keys):
        frames = [imported.frame for imported, own in zip(read, keys, strict=True) if own == key]
        rows = join(frames, key.kind, on_conflict=conflicts, what=str(key))
        result = store.overwrite(key, rows) if overwrite else store.append(key, rows, on_conflict=conflicts)
        results.append(
            {
                "dataset": str(key),
                "rows": result.rows,
                "added": result.added,
                "replaced": result.replaced,
                "fingerprint": result.fingerprint,
            }
        )
    return results


def _summary(imported: Imported, key: DatasetKey) -> dict[str, Any]:
    frame = imported.frame
    return {
        "file": str(imported.path),
        "dataset": str(key),
        "rows": frame.height,
        "first": time_text(frame.item(0, "ts")),
        "last": time_text(frame.item(-1, "ts")),
        "notes": list(imported.notes),
    }


def export(
    name: Name,
    path: Annotated[Path, typer.Argument(help="File to write: .csv, .parquet, .feather or .json.")],
    timeframe: TimeframeOption = None,
    kind: Kind = "bars",
    since: Since = None,
    until: Until = None,
    iso_time: Annotated[
        bool, typer.Option("--iso-time", help="Write times as ISO 8601 text (CSV only).")
    ] = False,
    json: Json = False,
) -> None:
    """Write stored data to a file for other programs."""
    from cashup.data.export import export_file

    with reporting():
        store = open_store()
        frame = store.read(key_of(store, name, kind, timeframe), since, until)
        export_file(frame, path, iso_time=iso_time)
    if json:
        print_json({"path": str(path), "rows": frame.height})
    else:
        print(f"{path}: {frame.height:,} rows")


def delete(
    name: Name,
    timeframe: TimeframeOption = None,
    kind: Kind = "bars",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete a stored dataset, with what was kept of its repairs."""
    with reporting():
        store = open_store()
        key = key_of(store, name, kind, timeframe)
        rows = store.manifest(key).rows
        if not yes and not typer.confirm(f"delete {key} ({rows:,} rows)?"):
            raise typer.Exit(1)
        store.delete(key)
    if json:
        print_json({"deleted": str(key), "rows": rows})
    else:
        print(f"deleted {key}")
