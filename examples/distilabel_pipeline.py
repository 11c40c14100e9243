"""A build file as one distilabel pipeline, with a step of one's own between ours.

    python examples/distilabel_pipeline.py examples/demo.yaml

It makes the pairs that `pairwright build` makes of the file, and some more: the step below adds a rejected text to every
query. Run the build first, or not at all: they share the ledger, so nothing is asked twice. docs/distilabel.md has the rest.
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from distilabel.steps import Step, StepInput

from pairwright import Build
from pairwright.core.records import Rejected, SftRow
from pairwright.pipelines.distilabel_steps.pair_pipeline import PairPipeline
from pairwright.pipelines.distilabel_steps.pipeline import build_steps, connect_steps, insert_step


class HalfAnswer(Step):
    """Adds a rejected text to every query that has an answer: the first half of it."""

    @property
    def inputs(self) -> list[str]:
        """The columns read."""
        return ["kept", "answer", "rejected"]

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["rejected"]

    def process(self, inputs: StepInput) -> Iterator[list[dict[str, Any]]]:
        """Yield one row per input, in order."""
        yield [{**row, "rejected": self._with_half(row)} if row["kept"] else row for row in inputs]

    def _with_half(self, row: dict[str, Any]) -> str:
        said = SftRow.model_validate_json(row["answer"]).chosen.text
        half = Rejected(text=said[: len(said) // 2 + 1], defect="half", rejected_by="half_answer")
        return json.dumps([*json.loads(row["rejected"]), half.model_dump(mode="json")], ensure_ascii=False)


def main() -> None:
    """Run the pipeline of the build file that the first argument names."""
    config = Build.from_file(sys.argv[1]).config
    with PairPipeline(name=config.name, cache_dir=Path(config.output) / "distilabel") as pipeline:
        steps = build_steps(config)
        insert_step(steps, "reject", HalfAnswer(name="halve"))
        connect_steps(steps)
    found = pipeline.run(use_cache=False)
    pairs = found["pairs"]["train"]
    print(f"{len(pairs)} pairs, rejected by {dict(Counter(pairs['maker']))}")
    print(f"{len(found['sft']['train'])} answers, {len(found['left_out']['train'])} things left out")
    print(
        json.dumps(
            {key: pairs[0][key] for key in ("query", "chosen", "rejected", "defect", "split")},
            indent=2,
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main()
