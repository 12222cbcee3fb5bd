"""Compiles the tables beside the project into `src/dragoman/facts/data/models.json`: `python -m scripts.facts`.

`--report` prints what the tables disagree about, and which of them was believed; nothing is written then.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path

from dragoman.facts.compiled import OWN_FILE, Compiled
from dragoman.facts.tables.compiling import Declared, Report, Tables, compiled
from dragoman.facts.tables.price_tables import GENAI, LITELLM, MODELS_DEV, read_json
from scripts.facts.corrections import CORRECTIONS
from scripts.facts.weights import weights_of

ROOT = Path(__file__).resolve().parents[2]


def tables_folder() -> Path:
    """Where the tables are: the folder of the variable DRAGOMAN_PRICES, else `shared/prices` beside the project."""
    return Path(os.environ.get("DRAGOMAN_PRICES") or ROOT.parent / "shared" / "prices")


def read_tables(folder: Path) -> Tables:
    """The three tables, numbers as decimals."""
    return Tables(
        genai_prices=read_json(folder / "genai-prices-0.2.3.json"),
        litellm=read_json(folder / "litellm-model-prices.json"),
        models_dev=read_json(folder / "models-dev.api.json"),
        genai_source=GENAI,
        litellm_source=LITELLM,
        models_dev_source=MODELS_DEV,
    )


def compile_all(folder: Path) -> tuple[bytes, Report]:
    """The data file's content, and the report."""
    tables = read_tables(folder)
    return compiled(tables, Declared(corrections=CORRECTIONS, weights=weights_of(tables)))


def _print_report(report: Report) -> None:
    for provider, model, found in report.disagreements:
        print(
            f"{provider}/{model} {found.field}: {found.by} says {found.believed!r} (believed), "
            f"{found.other_by} says {found.other!r}"
        )
    print()
    for (field, by, other), count in Counter(
        (found.field, found.by, found.other_by) for _, _, found in report.disagreements
    ).most_common():
        print(f"{field}: {by} against {other}, {count} times")


def main() -> None:
    """Compiles, checks what came out, and writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true", help="print where the tables disagree, and write nothing")
    arguments = parser.parse_args()
    content, report = compile_all(tables_folder())
    if arguments.report:
        _print_report(report)
        return
    count = Compiled.decode(content).check()
    Path(OWN_FILE).write_bytes(content)
    for provider, (models, families) in report.counts.items():
        print(f"{provider}: {models} models, {families} families")
    print(f"{count} models, {len(content):,} bytes, {len(report.disagreements)} disagreements")


if __name__ == "__main__":
    main()
