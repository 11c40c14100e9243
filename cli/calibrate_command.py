"""What ``pairwright calibrate`` does: gold in, table, ``calibration.json`` and picture out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pairwright.cli.tables import print_table
from pairwright.core.config.build_file import read_build
from pairwright.core.llm.ledger import Ledger
from pairwright.core.storage import atomic_writer, write_json
from pairwright.pipelines.calibration.gold_items import gold_items, marked_items
from pairwright.pipelines.calibration.judge_calibration import calibrate
from pairwright.pipelines.calibration.page import defect_table, draw_picture, figure_table
from pairwright.pipelines.catalogues import CATALOGUES


def calibrate_command(
    file: Path, marked: Sequence[Path], limit: int, variants: int, precision: float, output: Path | None
) -> None:
    """Measure the judges, print the tables, and write ``calibration.json`` and ``calibration.svg``."""
    config = read_build(file, CATALOGUES)
    items = [item for path in marked for item in marked_items(path)] if marked else gold_items(config, limit, variants)
    folder = output or Path(config.output) / "calibration"
    folder.mkdir(parents=True, exist_ok=True)
    with Ledger(config.ledger_path) as ledger:
        found = calibrate(config, items, ledger, precision, folder)
    print_table("Judges against gold, 95 % intervals", figure_table(found))
    print_table("By defect", defect_table(found))
    write_json(folder / "calibration.json", found.model_dump(mode="json"))
    with atomic_writer(folder / "calibration.svg") as drawing:
        drawing.write(draw_picture(found))
    print(f"{folder / 'calibration.json'}: name it under 'calibration' in a build file")
