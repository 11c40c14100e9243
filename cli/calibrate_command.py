"""What ``pairwright calibrate`` does: gold in, table, ``calibration.json`` and picture out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pairwright.cli.tables import print_table
from pairwright.core.calibration import read_calibration
from pairwright.core.config.build_file import read_build
from pairwright.core.errors import PairwrightError
from pairwright.core.files.owned_folder import writing_files
from pairwright.core.files.storage import atomic_writer, write_json
from pairwright.core.llm.ledger import Ledger
from pairwright.pipelines.calibration.gold_items import gold_items, marked_items
from pairwright.pipelines.calibration.judge_calibration import calibrate
from pairwright.pipelines.calibration.page import defect_table, draw_picture, figure_table
from pairwright.pipelines.catalogues import CATALOGUES

FILES = ("calibration.json", "calibration.svg")


def calibrate_command(
    file: Path,
    marked: Sequence[Path],
    limit: int,
    variants: int,
    precision: float,
    output: Path | None,
    code: bool = True,
) -> None:
    """Measure the judges, print the tables, and write ``calibration.json`` and ``calibration.svg``."""
    config = read_build(file, CATALOGUES, code=code)
    folder = output or Path(config.output) / "calibration"
    logs = [f"{name}.server.log" for name, endpoint in config.endpoints.items() if endpoint.use == "embedded"]
    with writing_files(folder, "calibration", [*FILES, *logs], _is_calibrated):
        items = (
            [item for path in marked for item in marked_items(path)] if marked else gold_items(config, limit, variants)
        )
        with Ledger(config.ledger_path) as ledger:
            found = calibrate(config, items, ledger, precision, folder)
        print_table("Judges against gold, 95 % intervals", figure_table(found))
        print_table("By defect", defect_table(found))
        write_json(folder / "calibration.json", found.model_dump(mode="json"))
        with atomic_writer(folder / "calibration.svg") as drawing:
            drawing.write(draw_picture(found))
    print(f"{folder / 'calibration.json'}: name it under 'calibration' in a build file")


def _is_calibrated(folder: Path) -> bool:
    """Whether a version that made no note of its files left a calibration here."""
    try:
        read_calibration(folder / FILES[0])
    except PairwrightError:
        return False
    return True
