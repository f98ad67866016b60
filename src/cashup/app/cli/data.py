"""`cashup data`: list, import, check, repair, resample, export and delete stored market data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cashup.app.cli.terminal import print_json, print_table, reporting

if TYPE_CHECKING:
    from cashup.data.datasets import DatasetKey
    from cashup.data.importers import Imported
    from cashup.data.quality import QualityReport
    from cashup.data.store import Store

app = typer.Typer(help="Keep market data: import, check, repair, resample, export.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Stored name, such as binance:BTC/USDT or gate:BTC/USDT:USDT.")]
Kind = Annotated[
    Literal["bars", "trades", "funding", "mark"], typer.Option("--kind", "-k", help="Kind of data.")
]
AnyKind = Annotated[
    Literal["bars", "trades", "funding", "mark"] | None,
    typer.Option("--kind", "-k", help="Kind of data; found out when left out."),
]
TimeframeOption = Annotated[
    str | None, typer.Option("--timeframe", "-t", help="Length of a bar, such as 1m, 4h, 1d or 1M.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Since = Annotated[str | None, typer.Option(help="First time, ISO 8601 UTC, such as 2024-01-01.")]
Until = Annotated[str | None, typer.Option(help="Time after the last, ISO 8601 UTC.")]


def _store() -> Store:
    from cashup.app.compose import data_dir
    from cashup.data.store import Store

    return Store(data_dir())


def _key(store: Store, name: str, kind: str, timeframe: str | None) -> DatasetKey:
    """Return the dataset meant; the timeframe may be left out when one only is stored."""
    from cashup.data.datasets import DataKind, DatasetKey
    from cashup.model.errors import InputError, explain

    if timeframe is None and DataKind(kind).has_timeframe:
        stored = store.timeframes(name, DataKind(kind))
        if len(stored) > 1:
            listed = ", ".join(map(str, stored))
            raise InputError(explain(f"{name} is stored as {listed}", hint="choose one with --timeframe"))
        timeframe = str(stored[0]) if stored else "1m"
    key = DatasetKey.of(name, kind, timeframe)
    store.manifest(key)
    return key


def _time(ts: int | None) -> str | None:
    from cashup.model.time import NS_PER_MS, format_time

    return None if ts is None else format_time(ts * NS_PER_MS)


def _day(ts: int | None) -> str | None:
    text = _time(ts)
    return None if text is None else text[:10]


def _size(size: int) -> str:
    return f"{size / 1024:,.0f} kB" if size < 10 << 20 else f"{size / (1 << 20):,.0f} MB"


@app.command("list")
def list_(json: Json = False) -> None:
    """List the stored datasets."""
    from cashup.data.catalog import Catalog

    with reporting():
        store = _store()
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
                _day(info.first),
                _day(info.last),
                f"{info.rows:,}",
                info.missing,
                _size(info.size),
            )
            for info in found
        )
        print_table("", columns, rows)


@app.command("import")
def import_(
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
        keys = [_key_of(imported, name) for imported in read]
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


def _key_of(imported: Imported, name: str | None) -> DatasetKey:
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

    store, results = _store(), []
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
        "first": _time(frame.item(0, "ts")),
        "last": _time(frame.item(-1, "ts")),
        "notes": list(imported.notes),
    }


@app.command()
def check(
    target: Annotated[str, typer.Argument(help="Stored name, or a file.")],
    timeframe: TimeframeOption = None,
    kind: Kind = "bars",
    min_score: Annotated[
        float, typer.Option(help="Leave with code 1 when the score is below this.", min=0, max=100)
    ] = 0.0,
    json: Json = False,
) -> None:
    """Check bars for gaps, duplicates, impossible prices, outliers, zero volume and stale bars."""
    from cashup.app.compose import now_ms
    from cashup.data import quality
    from cashup.data.importers import read_file

    with reporting():
        if Path(target).is_file():
            imported = read_file(
                target, kind="mark" if kind == "mark" else None, timeframe=timeframe, check=False
            )
            frame, bars_of = imported.frame, imported.timeframe
        else:
            store = _store()
            key = _key(store, target, kind, timeframe)
            frame, bars_of = store.read(key), key.timeframe
        if bars_of is None:
            from cashup.model.errors import InputError, explain

            raise InputError(explain(f"{target} has no bars to check", expected="bars or mark prices"))
        report = quality.check(frame, bars_of, now=now_ms())
    if json:
        print_json({"target": target, **report.to_dict()})
    else:
        _print_report(target, report)
    if report.score < min_score:
        raise typer.Exit(1)


def _print_report(target: str, report: QualityReport) -> None:
    print(
        f"{target} {report.timeframe}: {report.rows:,} bars, {_time(report.first)} .. {_time(report.last)}, "
        f"score {report.score:g} of 100"
    )
    kinds: list[str] = [outlier.kind for outlier in report.outliers]
    rows: list[tuple[str, int, str]] = [
        ("missing", report.missing, _runs_text(report.gaps)),
        ("repeated times", report.repeated, ""),
        ("time backwards", report.backwards, ""),
        ("impossible", report.invalid, _time(report.first_invalid) or ""),
        ("zero volume", report.zero_volume, _runs_text(report.zero_volume_runs)),
        ("stale", report.stale, _runs_text(report.stale_runs)),
        *(
            (
                label,
                kinds.count(kind),
                ", ".join(
                    f"{_time(outlier.ts)} {outlier.change:+.1%}"
                    for outlier in report.outliers
                    if outlier.kind == kind
                )[:100],
            )
            for kind, label in (("spike", "spikes"), ("jump", "jumps"), ("wick", "long wicks"))
        ),
        ("partial last bar", int(bool(report.partial_last)), ""),
    ]
    print_table("", ("found", "bars>", "where"), rows)
    if report.costs:
        print("points lost: " + ", ".join(f"{name} {cost:g}" for name, cost in report.costs.items()))


def _runs_text(runs: Any) -> str:
    shown = ", ".join(f"{_time(run.first)} x{run.bars}" for run in runs[:3])
    return f"{shown} and {len(runs) - 3} more" if len(runs) > 3 else shown


@app.command()
def repair(
    name: Name,
    drop_duplicates: Annotated[
        bool, typer.Option("--drop-duplicates", help="Keep the last of several bars of one time.")
    ] = False,
    drop_partial_last: Annotated[
        bool, typer.Option("--drop-partial-last", help="Drop a last bar that has not ended.")
    ] = False,
    fill_gaps: Annotated[
        bool, typer.Option("--fill-gaps", help="Fill missing bars flat at the last close, with volume 0.")
    ] = False,
    clip_spikes: Annotated[
        bool, typer.Option("--clip-spikes", help="Bring closes that leave and come back into their range.")
    ] = False,
    timeframe: TimeframeOption = None,
    kind: Kind = "bars",
    undo: Annotated[bool, typer.Option("--undo", help="Undo the last repair.")] = False,
    json: Json = False,
) -> None:
    """Repair stored bars; the original is kept, and --undo brings it back."""
    from dataclasses import asdict

    from cashup.app.compose import now_ms
    from cashup.data import repair as repairs

    with reporting():
        store = _store()
        key = _key(store, name, kind, timeframe)
        if undo:
            record = repairs.undo(store, key)
        else:
            asked = {
                repairs.Action.DROP_DUPLICATES: drop_duplicates,
                repairs.Action.DROP_PARTIAL_LAST: drop_partial_last,
                repairs.Action.FILL_GAPS: fill_gaps,
                repairs.Action.CLIP_SPIKES: clip_spikes,
            }
            chosen = [action for action, wanted in asked.items() if wanted]
            record = repairs.repair(store, key, chosen, now=now_ms())
    if json:
        print_json({"dataset": str(key), "undone": undo, **asdict(record)})
    elif undo:
        print(f"{key}: undone, {len(record.changes)} bars are as before")
    elif not record.changes:
        print(f"{key}: nothing to repair")
    else:
        for change in record.changes[:10]:
            print(f"  {change.time} {change.action}")
        print(f"{key}: {len(record.changes)} bars changed; --undo brings the original back")


@app.command()
def resample(
    name: Name,
    to: Annotated[str, typer.Option("--to", help="Timeframe to make, such as 1h.")],
    source: Annotated[
        str | None, typer.Option("--from", help="Stored timeframe to make it of, or trades.")
    ] = None,
    kind: Annotated[Literal["bars", "mark"], typer.Option("--kind", "-k", help="Kind of bars.")] = "bars",
    keep_partial: Annotated[
        bool, typer.Option("--keep-partial", help="Keep a first or last bar that is not whole.")
    ] = False,
    json: Json = False,
) -> None:
    """Make bars of a higher timeframe and store them."""
    from cashup.data import resample as resampling
    from cashup.data.datasets import DatasetKey

    with reporting():
        store = _store()
        partial: Literal["keep", "drop"] = "keep" if keep_partial else "drop"
        if source == "trades":
            frame = resampling.bars_from_trades(store.read_trades(name), to, partial=partial, fill=True)
        else:
            key = _key(store, name, kind, source)
            assert key.timeframe is not None
            frame = resampling.resample(store.read(key), key.timeframe, to, partial=partial)
        made = DatasetKey.of(name, kind, to)
        result = store.append(made, frame)
    if json:
        print_json({"dataset": str(made), "rows": frame.height, "stored": result.rows, "added": result.added})
    else:
        print(f"stored {made}: {frame.height:,} bars made, {result.rows:,} stored ({result.added:+,})")


@app.command()
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
        store = _store()
        frame = store.read(_key(store, name, kind, timeframe), since, until)
        export_file(frame, path, iso_time=iso_time)
    if json:
        print_json({"path": str(path), "rows": frame.height})
    else:
        print(f"{path}: {frame.height:,} rows")


@app.command()
def delete(
    name: Name,
    timeframe: TimeframeOption = None,
    kind: Kind = "bars",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete a stored dataset, with what was kept of its repairs."""
    with reporting():
        store = _store()
        key = _key(store, name, kind, timeframe)
        rows = store.manifest(key).rows
        if not yes and not typer.confirm(f"delete {key} ({rows:,} rows)?"):
            raise typer.Exit(1)
        store.delete(key)
    if json:
        print_json({"deleted": str(key), "rows": rows})
    else:
        print(f"deleted {key}")
