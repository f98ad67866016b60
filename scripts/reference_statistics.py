"""Write docs/reference/statistics.md from the registry: `python scripts/reference_statistics.py`."""

from __future__ import annotations

from pathlib import Path

from cashup.backtest.registry import GROUPS, REGISTRY

TARGET = Path(__file__).resolve().parents[1] / "docs" / "reference" / "statistics.md"

HEAD = """# Statistics

`Result.statistics` is a mapping with the keys below. A figure that has no meaning in a run (the payoff ratio without
a losing trade, say) is NaN, in JSON `null`.

Ratios use **daily** returns: equity at the last bar of each UTC day, the first day measured against the cash at the
start. Crypto trades every day, so a year has **365** of them; packages that assume 252 give ratios that are smaller by
the square root of 252/365. There is no risk-free rate. Units: *fraction* (0.05 is 5 %), *ratio*, *money* (settlement
currency), *count*, *days*, *hours*.
"""


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for group, (title, _) in GROUPS.items():
        parts.append(f"\n## {title}\n\n| Key | Figure | Unit | Formula | Source |\n|---|---|---|---|---|")
        parts += [
            f"| `{item.key}` | {item.label} | {item.unit} | {item.formula} | {item.source} |"
            for item in REGISTRY
            if item.group == group
        ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    print(TARGET)
