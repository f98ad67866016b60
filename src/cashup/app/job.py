"""A job in a process of its own: it fences itself off, then runs the user's strategy.

The request comes on standard input as one line of JSON, progress and the answer leave on the original standard
output as lines of JSON; what the strategy prints goes to a file. The environment is empty but for what Python
needs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cashup.model.errors import CashUpError

_OUTPUT_MB: Final = 4


def main() -> None:
    """Do the job that standard input asks for."""
    request = json.loads(sys.stdin.readline())
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    folder = Path(request["folder"])
    printed = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(printed, 1)
    os.dup2(printed, 2)

    def say(kind: str, **content: Any) -> None:
        answers.write(json.dumps({"type": kind, **content}, ensure_ascii=False, allow_nan=False) + "\n")
        answers.flush()

    try:
        from cashup.runtime.isolation import fence

        enforced = fence(
            read=[Path(path) for path in request["read"]],
            write=[folder, *(Path(path) for path in request["write"])],
            memory_mb=request["memory_mb"],
            cpu_s=request["cpu_s"],
        )
        say("fence", enforced=enforced.to_dict())
        say("done", result=_JOBS[request["kind"]](request, folder, say))
    except CashUpError as e:
        say("failed", code=e.code, message=e.message)
    except MemoryError:
        say(
            "failed",
            code="memory",
            message=f"the strategy took more than {request['memory_mb']} MB of memory",
        )
    except BaseException as e:  # noqa: BLE001 - whatever a strategy raises, SystemExit included, is an answer
        say("failed", code="strategy_failed", message=f"{type(e).__name__}: {str(e)[:500]}")
    answers.flush()
    os._exit(0)  # threads a strategy left behind do not hold the job


def _inspect(request: dict[str, Any], _folder: Path, _say: Callable[..., None]) -> dict[str, Any]:
    """Load a strategy and say what it is: name, description, timeframe, parameters."""
    from cashup.engine.loader import load_strategy
    from cashup.engine.parameters import parameters_of

    strategy = load_strategy(request["strategy"])
    return {
        "name": strategy.__name__,
        "description": (strategy.__doc__ or "").strip(),
        "timeframe": str(strategy.timeframe or ""),
        "parameters": [
            {
                "name": name,
                "default": parameter.default,
                "low": parameter.low,
                "high": parameter.high,
                "step": parameter.step,
                "choices": list(parameter.choices) if parameter.choices else None,
            }
            for name, parameter in parameters_of(strategy).items()
        ],
    }


def _backtest(request: dict[str, Any], folder: Path, say: Callable[..., None]) -> dict[str, Any]:
    """Run a backtest; write its report, its result and its tables into the folder."""
    from cashup.app.workbench import Backtest

    say("progress", fraction=0.05, stage="loading")
    options = {name: value for name, value in request["options"].items() if value is not None}
    backtest = Backtest(request["strategy"], request["data"], **options)
    say("progress", fraction=0.3, stage="running")
    result = backtest.run()
    say("progress", fraction=0.7, stage="writing")
    result.report(folder / "report.html")
    (folder / "result.json").write_text(result.to_json(), encoding="utf-8")
    result.to_csv(folder / "tables")
    statistics = {
        name: value if value == value and abs(value) != float("inf") else None
        for name, value in result.statistics.items()
    }
    return {"statistics": statistics, "mode": result.mode, "id": result.id, "config": result.config}


_JOBS: Final = {"inspect": _inspect, "backtest": _backtest}

if __name__ == "__main__":
    main()
