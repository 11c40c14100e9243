"""Some of our steps in a distilabel pipeline of your own, over rows that come from anywhere.

    python examples/distilabel_steps.py http://localhost:8000/v1 my-model

Each query is rewritten by the model, judged by rules, marked where it repeats another one or copies a test set, and made
worse in two ways. Answers stand in builds/steps.sqlite: a second run asks nothing. docs/distilabel.md has the rest.
"""

import json
import sys
from typing import Any

from distilabel.steps import LoadDataFromDicts

from pairwright.core.config.build_file import EndpointConfig
from pairwright.judges import JUDGES
from pairwright.perturbers import PERTURBERS
from pairwright.pipelines.distilabel_steps.dedup_steps import Decontaminate, MinHashDeduplicate
from pairwright.pipelines.distilabel_steps.ledger_llm import LedgerLLM
from pairwright.pipelines.distilabel_steps.pair_pipeline import PairPipeline
from pairwright.pipelines.distilabel_steps.rewrite_steps import JudgeCandidates, PerturbRewrites, RewriteQuery

ORCHARD = [
    {"role": "user", "content": "Who wrote The Glass Orchard?"},
    {"role": "assistant", "content": "Ada Lindqvist."},
]
HOTEL = [
    {"role": "user", "content": "推荐一家酒店吧"},
    {"role": "assistant", "content": "北京香江戴斯酒店很不错呢。"},
]
ROWS: list[dict[str, Any]] = [
    {"language": "en", "history": ORCHARD, "query": "When was she born?"},
    {"language": "en", "history": ORCHARD, "query": "When was she born, please?"},
    {"language": "zh", "history": HOTEL, "query": "这家有健身房吗？"},
]
TEST_SET = ["Where was Ada Lindqvist born?"]


def build(base_url: str, model: str, ledger: str = "builds/steps.sqlite") -> PairPipeline:
    """The pipeline, not run yet."""
    llm = LedgerLLM(name="teacher", endpoint=EndpointConfig(base_url=base_url, model=model), ledger=ledger)
    rewrite = {"text": "rewrite"}  # these two steps compare whichever column they are told to
    # distilabel's own Pipeline takes the same steps; this one also ends well when it is interrupted or a worker dies.
    with PairPipeline(name="steps") as pipeline:
        (
            LoadDataFromDicts(data=ROWS)
            >> RewriteQuery(llm=llm)
            >> JudgeCandidates(judges=[JUDGES["leftover_reference"](), JUDGES["missing_key_entity"]()])
            >> MinHashDeduplicate(input_mappings=rewrite)
            >> Decontaminate(evaluation_texts=TEST_SET, input_mappings=rewrite)
            >> PerturbRewrites(perturbers=[PERTURBERS["unchanged_copy"](), PERTURBERS["made_ambiguous"]()], seed=7)
        )
    return pipeline


def main() -> None:
    """Run it with the endpoint and the model that the arguments name."""
    if len(sys.argv) != 3:
        sys.exit("usage: python examples/distilabel_steps.py BASE_URL MODEL")
    found = build(*sys.argv[1:]).run(use_cache=False)
    for row in found["default"]["train"]:
        if row["rewrite"] is None:
            sys.exit(
                f"{row['query']}: no rewrite: {row['error'] or 'the step failed, see the log'} {row['message'] or ''}"
            )
        worse = [one["text"] for one in json.loads(row["rejected"])]
        marks = {key: row[key] for key in ("accepted", "duplicate_of", "contaminated_by")}
        print(f"{row['query']} → {row['rewrite']} {marks} worse: {worse}")


if __name__ == "__main__":
    main()
