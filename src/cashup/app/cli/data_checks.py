"""`cashup data check | repair | resample`: how good stored bars are, and what can be made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cashup.app.cli.data_options import Json, Kind, Name, TimeframeOption, key_of, open_store, time_text
from cashup.app.cli.terminal import print_json, print_table, reporting

if TYPE_CHECKING:
    from cashup.data.quality import QualityReport


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
            store = open_store()
            key = key_of(store, target, kind, timeframe)
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
    span = f"{time_text(report.first)} .. {time_text(report.last)}"
    print(f"{target} {report.timeframe}: {report.rows:,} bars, {span}, score {report.score:g} of 100")
    kinds: list[str] = [outlier.kind for outlier in report.outliers]
    rows: list[tuple[str, int, str]] = [
        ("missing", report.missing, _runs_text(report.gaps)),
        ("repeated times", report.repeated, ""),
        ("time backwards", report.backwards, ""),
        ("impossible", report.invalid, time_text(report.first_invalid) or ""),
        ("zero volume", report.zero_volume, _runs_text(report.zero_volume_runs)),
        ("stale", report.stale, _runs_text(report.stale_runs)),
        *(
            (
                label,
                kinds.count(kind),
                ", ".join(
                    f"{time_text(outlier.ts)} {outlier.change:+.1%}"
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
    shown = ", ".join(f"{time_text(run.first)} x{run.bars}" for run in runs[:3])
    return f"{shown} and {len(runs) - 3} more" if len(runs) > 3 else shown


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
        store = open_store()
        key = key_of(store, name, kind, timeframe)
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
        store = open_store()
        partial: Literal["keep", "drop"] = "keep" if keep_partial else "drop"
        if source == "trades":
            frame = resampling.bars_from_trades(store.read_trades(name), to, partial=partial, fill=True)
        else:
            key = key_of(store, name, kind, source)
            assert key.timeframe is not None
            frame = resampling.resample(store.read(key), key.timeframe, to, partial=partial)
        made = DatasetKey.of(name, kind, to)
        result = store.append(made, frame)
    if json:
        print_json({"dataset": str(made), "rows": frame.height, "stored": result.rows, "added": result.added})
    else:
        print(f"stored {made}: {frame.height:,} bars made, {result.rows:,} stored ({result.added:+,})")
