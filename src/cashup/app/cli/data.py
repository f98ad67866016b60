"""`cashup data`: the commands that keep market data, put together."""

from __future__ import annotations

import typer

from cashup.app.cli.data_checks import check, repair, resample
from cashup.app.cli.data_files import delete, export, import_files, list_datasets

app = typer.Typer(help="Keep market data: import, check, repair, resample, export.", no_args_is_help=True)
app.command("list")(list_datasets)
app.command("import")(import_files)
app.command("check")(check)
app.command("repair")(repair)
app.command("resample")(resample)
app.command("export")(export)
app.command("delete")(delete)
