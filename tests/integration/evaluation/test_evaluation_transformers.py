"""Local transformers models as systems and as measures, on a model that knows nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tiny import save_model, save_tokenizer

from pairwright.cli.evaluate_command import evaluate_command
from pairwright.core.errors import ConfigError, ModelError
from pairwright.core.records import Turn
from pairwright.evaluation.gold_rows import GoldRow, GoldSet, gold_set
from pairwright.evaluation.metrics.metric import MetricCase
from pairwright.evaluation.model_metrics.bertscore import bertscore_metric
from pairwright.evaluation.model_metrics.catalogue import Extras
from pairwright.evaluation.model_metrics.embedding_cosine import cosine_metric
from pairwright.evaluation.model_metrics.perplexity import perplexity_metric
from pairwright.evaluation.predictions import Prediction, System
from pairwright.evaluation.systems.student_requests import RequestOptions
from pairwright.evaluation.systems.system_spec import answers, parse_system

TEXTS = ["Where was Steve Jobs born?", "天坛公园的门票多少钱？", "Where was he born?", "它的门票多少钱？"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen2."""
    return save_model(save_tokenizer(tmp_path_factory.mktemp("tiny"), TEXTS * 20))


def gold() -> GoldSet:
    """One row per language."""
    said = (Turn(role="user", content="?"), Turn(role="assistant", content="Steve Jobs 天坛公园"))
    rows = [
        GoldRow(id="1", language="en", dialogue="1", history=said, query=TEXTS[2], reference=TEXTS[0]),
        GoldRow(id="2", language="zh", dialogue="2", history=said, query=TEXTS[3], reference=TEXTS[1]),
    ]
    return gold_set("two", rows, [], source="two", sha256="0" * 64)


def system(*rewrites: str) -> System:
    """A system with these rewrites."""
    predictions = tuple(Prediction(id=str(number), rewrite=text) for number, text in enumerate(rewrites, start=1))
    return System(name="s", kind="file", predictions=predictions)


def test_generation_is_greedy_and_adapters_change_it_in_their_order(model: Path, tmp_path: Path) -> None:
    adapter = save_adapter(model, tmp_path / "adapter")
    options = RequestOptions(answer_tokens=12)
    plain = answers(parse_system(f"hf:{model}"), gold(), options)
    again = answers(parse_system(f"hf:{model}"), gold(), options)
    tuned = answers(parse_system(f"sft=hf:{model}+{adapter}"), gold(), options)
    assert plain.predictions == again.predictions
    assert tuned.predictions != plain.predictions
    assert (tuned.name, tuned.details["adapters"]) == ("sft", str(adapter))
    assert plain.details["prompt.en"]


def save_adapter(model: Path, folder: Path) -> Path:
    """A random LoRA adapter that is no identity."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj", "v_proj", "up_proj"], init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(model), config).save_pretrained(folder)
    return folder


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        answers(parse_system(f"hf:{tmp_path / 'none'}"), gold(), RequestOptions())
    with pytest.raises(ConfigError, match="no model that transformers can load"):
        perplexity_metric(str(tmp_path), [system("a", "b")])


def test_perplexity_of_a_random_model_is_near_the_size_of_its_vocabulary(model: Path) -> None:
    one = system(TEXTS[0], TEXTS[1])
    metric = perplexity_metric(str(model), [one, system("", "")])
    sums = [metric.measure(MetricCase(row, found)) for row, found in zip(gold().rows, one.predictions, strict=True)]
    value = float(metric.combine(np.array(sums).sum(axis=0)))
    vocabulary = len(json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
    assert vocabulary / 2 < value < vocabulary * 2
    assert metric.measure(MetricCase(gold().rows[0], Prediction(id="1", rewrite=""))) is None


def test_perplexity_is_that_of_the_models_own_loss(model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    ids = torch.tensor([AutoTokenizer.from_pretrained(model)(TEXTS[0])["input_ids"]])
    loss = float(AutoModelForCausalLM.from_pretrained(model)(ids, labels=ids).loss.detach())
    metric = perplexity_metric(str(model), [system(TEXTS[0], TEXTS[1])])
    sums = metric.measure(MetricCase(gold().rows[0], Prediction(id="1", rewrite=TEXTS[0])))
    assert sums is not None
    assert math.exp(sums[0] / sums[1]) == pytest.approx(math.exp(loss), rel=1e-4)


def test_encoders_find_equal_texts_equal_and_others_less(model: Path) -> None:
    one = system(TEXTS[0], TEXTS[3])
    for metric in (bertscore_metric(f"{model}@1", gold().rows, [one]), cosine_metric(str(model), gold().rows, [one])):
        first, second = (
            metric.measure(MetricCase(row, got)) for row, got in zip(gold().rows, one.predictions, strict=True)
        )
        assert first is not None
        assert second is not None
        assert first[0] == pytest.approx(1.0)
        assert second[0] < 0.999


def test_extra_metrics_join_the_report(model: Path, tmp_path: Path) -> None:
    lines = [
        {"id": row.id, "lang": row.language, "history": [], "query": row.query, "rewrite": row.reference}
        for row in gold().rows
    ]
    tests = tmp_path / "tests.jsonl"
    tests.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    extras = Extras(cosine=str(model), bertscore=f"{model}@1", perplexity=str(model))
    result = evaluate_command([], [str(tests)], tmp_path / "out", extras=extras)
    assert {"embedding_cosine", "bertscore", "perplexity"} <= {note.name for note in result.metrics}
