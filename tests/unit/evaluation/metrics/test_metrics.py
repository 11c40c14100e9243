"""The overlap metrics agree with their reference implementations; the others with cases worked by hand."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from pairwright.core.records import Example, Language, Turn
from pairwright.evaluation.gold_rows import GoldRow
from pairwright.evaluation.metrics.answer_instead import ANSWER_INSTEAD
from pairwright.evaluation.metrics.bleu import BLEU
from pairwright.evaluation.metrics.entity_retention import ENTITY_RETENTION, key_entities
from pairwright.evaluation.metrics.exact_match import EXACT_MATCH, EXACT_MATCH_NORMALISED
from pairwright.evaluation.metrics.example_leak import ANALYSIS_LEAK, EXAMPLE_LEAK
from pairwright.evaluation.metrics.format_validity import FORMAT_VALIDITY, is_clean
from pairwright.evaluation.metrics.invented_entity import INVENTED_ENTITY
from pairwright.evaluation.metrics.language_match import LANGUAGE_MATCH
from pairwright.evaluation.metrics.leftover_reference import LEFTOVER_REFERENCE
from pairwright.evaluation.metrics.length_ratio import LENGTH_RATIO
from pairwright.evaluation.metrics.metric import Metric, MetricCase
from pairwright.evaluation.metrics.overlap_f1 import CHARACTER_F1, WORD_F1
from pairwright.evaluation.metrics.readability import flesch_kincaid, is_common, jing_grade, syllables
from pairwright.evaluation.metrics.restoration import RESTORATION_F1, RESTORATION_F2, RESTORATION_F3
from pairwright.evaluation.metrics.rouge import ROUGE_1, ROUGE_2, ROUGE_L, common_subsequence, rouge_l, rouge_n
from pairwright.evaluation.metrics.unchanged import OVER_EDIT, UNCHANGED
from pairwright.evaluation.predictions import Prediction

ENGLISH = [
    "what",
    "is",
    "the",
    "best",
    "café",
    "in",
    "Rome",
    ",",
    "Zappa's",
    "band",
    "(1969)?",
    "I",
    "don't",
    "know:",
    "$3.50",
    "U.S.",
    "didn't",
    "it",
    "rain-check",
]
CHINESE = [
    "什么",
    "时候",
    "这家",
    "餐馆",
    "的",
    "地址",
    "在",
    "哪",
    "？",
    "人均",
    "消费",
    "50-100元",
    "wifi",
    "北京",
    "天坛",
    "，",
    "门票",
    "20",
    "元",
    "呢",
]


def case(
    rewrite: str, reference: str, query: str = "", *history: str, language: Language = "en", **fields: object
) -> MetricCase:
    """A row whose history alternates between user and assistant."""
    prediction = {key: fields.pop(key) for key in ("analysis", "error") if key in fields}
    row = GoldRow(
        id="1",
        language=language,
        dialogue="d",
        history=tuple(Turn(role="assistant" if n % 2 else "user", content=text) for n, text in enumerate(history)),
        query=query or "and then?",
        reference=reference,
        **fields,
    )
    return MetricCase(row, Prediction(id="1", rewrite=rewrite, **prediction))


def figure(metric: Metric, *cases: MetricCase) -> float:
    """The corpus figure of the rows that the metric applies to."""
    found = [metric.measure(one) for one in cases]
    return float(metric.combine(np.array([sums for sums in found if sums is not None]).sum(axis=0)))


def sentence_pairs(vocabulary: list[str], joint: str, count: int) -> list[tuple[str, str]]:
    """Random sentences and edits of them, some unrelated, some empty of words."""
    rng = random.Random(7)
    pairs = []
    for number in range(count):
        words = rng.choices(vocabulary, k=rng.randint(1, 12))
        other = [word for word in words if rng.random() > 0.2] + rng.choices(vocabulary, k=rng.randint(0, 4))
        pairs.append((joint.join(other) if number % 17 else "?", joint.join(words)))
    return pairs


@pytest.mark.parametrize(("language", "vocabulary", "joint"), [("en", ENGLISH, " "), ("zh", CHINESE, "")])
def test_bleu_is_sacrebleu_on_the_corpus_and_on_every_single_row(
    language: Language, vocabulary: list[str], joint: str
) -> None:
    from sacrebleu.metrics import BLEU as Reference

    pairs = sentence_pairs(vocabulary, joint, 200)
    reference = Reference(tokenize="zh" if language == "zh" else "13a")
    expected = reference.corpus_score([one for one, _ in pairs], [[gold for _, gold in pairs]]).score / 100
    cases = [case(one, gold, language=language) for one, gold in pairs]
    assert figure(BLEU, *cases) == pytest.approx(expected, abs=1e-6)
    for one, (rewrite, gold) in zip(cases, pairs, strict=True):
        alone = reference.corpus_score([rewrite], [[gold]]).score / 100
        assert figure(BLEU, one) == pytest.approx(alone, abs=1e-6)


@pytest.mark.slow
def test_rouge_is_rouge_score_on_english() -> None:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    for rewrite, reference in sentence_pairs(ENGLISH, " ", 200):
        expected = scorer.score(reference, rewrite)
        assert rouge_n(rewrite, reference, 1) == pytest.approx(expected["rouge1"].fmeasure, abs=1e-6)
        assert rouge_n(rewrite, reference, 2) == pytest.approx(expected["rouge2"].fmeasure, abs=1e-6)
        assert rouge_l(rewrite, reference) == pytest.approx(expected["rougeL"].fmeasure, abs=1e-6)


@pytest.mark.slow
def test_rouge_is_rouge_score_on_chinese_when_that_is_given_characters() -> None:
    from rouge_score.rouge_scorer import RougeScorer

    class Characters:
        def tokenize(self, text: str) -> list[str]:
            return [piece for piece in text if "\u4e00" <= piece <= "\u9fff"]

    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=Characters())
    vocabulary = [word for word in CHINESE if all("\u4e00" <= piece <= "\u9fff" for piece in word)]
    for rewrite, reference in sentence_pairs(vocabulary, "", 200):
        expected = scorer.score(reference, rewrite)
        assert rouge_n(rewrite, reference, 1) == pytest.approx(expected["rouge1"].fmeasure, abs=1e-6)
        assert rouge_n(rewrite, reference, 2) == pytest.approx(expected["rouge2"].fmeasure, abs=1e-6)
        assert rouge_l(rewrite, reference) == pytest.approx(expected["rougeL"].fmeasure, abs=1e-6)


def test_rouge_counts_latin_words_and_full_width_digits_inside_chinese() -> None:
    assert rouge_n("有wifi吗", "有 WIFI 吗", 1) == 1.0
    assert rouge_n("门票２０元", "门票20元", 1) == 1.0


def test_common_subsequence_is_that_of_the_textbook_table() -> None:
    rng = random.Random(3)
    for _ in range(100):
        one, other = (tuple(rng.choices("abcd", k=rng.randint(0, 9))) for _ in range(2))
        table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
        for i, left in enumerate(one):
            for j, right in enumerate(other):
                table[i + 1][j + 1] = table[i][j] + 1 if left == right else max(table[i][j + 1], table[i + 1][j])
        assert common_subsequence(one, other) == table[-1][-1]


def published_restoration(pairs: list[tuple[str, str, str]], order: int) -> float:
    """The measure as its authors' successors published it (RUN): token sets, counts added over rows."""
    hits = found = wanted = 0
    for rewrite, reference, query in pairs:
        current = query.split(" ")
        sides = []
        for text in (reference, rewrite):
            tokens = text.split(" ")
            restored = {token for token in tokens if token not in current}
            grams = {tuple(tokens[i : i + order]) for i in range(len(tokens) - order + 1)}
            sides.append(({gram for gram in grams if set(gram) & restored}, restored))
        if sides[0][1]:
            hits += len(sides[0][0] & sides[1][0])
            found += len(sides[1][0])
            wanted += len(sides[0][0])
    precision, recall = hits / found, hits / wanted
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(("metric", "order"), [(RESTORATION_F1, 1), (RESTORATION_F2, 2), (RESTORATION_F3, 3)])
def test_restoration_f_is_the_published_count_on_200_rows(metric: Metric, order: int) -> None:
    rng = random.Random(11)
    words = ["a", "b", "c", "d", "e", "f", "天", "坛", "在", "哪", "票"]
    rows = []
    for _ in range(200):
        query = rng.choices(words, k=rng.randint(1, 4))
        reference = query + rng.choices(words, k=rng.randint(0, 4))
        rewrite = [word for word in reference if rng.random() > 0.25] + rng.choices(words, k=rng.randint(0, 2))
        rows.append((" ".join(rewrite or ["a"]), " ".join(reference), " ".join(query)))
    cases = [case(rewrite, reference, query) for rewrite, reference, query in rows]
    assert figure(metric, *cases) == pytest.approx(published_restoration(rows, order), abs=1e-6)


def test_restoration_f_of_the_example_in_the_documentation() -> None:
    one = case("天坛公园门票多少钱", "天坛的门票多少钱", "门票多少钱", language="zh")
    assert figure(RESTORATION_F1, one) == pytest.approx(4 / 7)
    assert figure(RESTORATION_F2, one) == pytest.approx(2 / 7)
    assert figure(RESTORATION_F3, one) == 0.0


def test_restoration_leaves_out_rows_that_restore_nothing_and_gives_copying_no_credit() -> None:
    assert RESTORATION_F1.measure(case("Where is it?", "Where is it?", "Where is it?")) is None
    assert figure(RESTORATION_F1, case("Where is it?", "Where is the Louvre?", "Where is it?")) == 0.0


def test_exact_match_ignores_space_and_the_normalised_one_case_width_and_punctuation() -> None:
    spaced = case("Who is  he? ", "Who is he?")
    cased = case("who is he", "Who is he?")
    wide = case("门票２０元吗?", "门票20元吗？", language="zh")
    assert figure(EXACT_MATCH, spaced) == 1.0
    assert figure(EXACT_MATCH, cased) == figure(EXACT_MATCH, wide) == 0.0
    assert figure(EXACT_MATCH_NORMALISED, cased) == figure(EXACT_MATCH_NORMALISED, wide) == 1.0
    assert figure(EXACT_MATCH_NORMALISED, case("who is she", "Who is he?")) == 0.0


def test_f1_of_characters_and_words() -> None:
    assert figure(CHARACTER_F1, case("ab c", "abd")) == pytest.approx(2 / 3)
    assert figure(WORD_F1, case("Where is Rome", "Where is the Rome ?")) == pytest.approx(6 / 7)
    assert figure(CHARACTER_F1, case("", "abd")) == 0.0


def test_key_entities_are_what_the_reference_takes_from_the_dialogue() -> None:
    said = ("Who founded Apple?", "Steve Jobs and Steve Wozniak.")
    one = case("When was Steve Jobs born?", "When was Steve Jobs born?", "When was he born?", *said)
    assert key_entities(one.row) == ("Steve Jobs",)
    assert figure(ENTITY_RETENTION, one) == 1.0
    lost = case("When was the founder born?", "When was Steve Jobs born?", "When was he born?", *said)
    assert figure(ENTITY_RETENTION, lost) == 0.0
    assert ENTITY_RETENTION.measure(case("x", "Who founded Apple?", "Who founded Apple?")) is None


def test_annotated_key_entities_count_one_by_one() -> None:
    one = case(
        "讲礼驴肉馆在哪？", "讲礼驴肉馆和天坛在哪？", "它们在哪？", language="zh", key_entities=("讲礼驴肉馆", "天坛")
    )
    assert figure(ENTITY_RETENTION, one) == 0.5


def test_an_entity_that_nobody_said_is_invented_and_one_of_the_reference_is_not() -> None:
    said = ("Who founded Apple?", "Steve Jobs.")
    made_up = case("When was Bill Gates born?", "When was Steve Jobs born?", "When was he born?", *said)
    assert figure(INVENTED_ENTITY, made_up) == 1.0
    assert (
        figure(INVENTED_ENTITY, case("When was Steve Jobs born?", "When was Steve Jobs born?", "When?", *said)) == 0.0
    )
    run_together = case(
        "北京天坛公园门票多少钱？", "天坛公园门票多少钱？", "门票多少钱？", "我在北京，想去天坛公园。", language="zh"
    )
    assert figure(INVENTED_ENTITY, run_together) == 0.0


def test_leftover_references_count_where_the_dialogue_could_resolve_them() -> None:
    said = ("Who founded Apple?", "Steve Jobs.")
    assert (
        figure(LEFTOVER_REFERENCE, case("When was he born?", "When was Jobs born?", "When was he born?", *said)) == 1.0
    )
    assert (
        figure(LEFTOVER_REFERENCE, case("When was Jobs born?", "When was Jobs born?", "When was he born?", *said))
        == 0.0
    )
    assert figure(LEFTOVER_REFERENCE, case("它在哪？", "天坛在哪？", "它在哪？", "去天坛", language="zh")) == 1.0
    assert figure(LEFTOVER_REFERENCE, case("When was he born?", "When was he born?", "When?", *said)) == 0.0
    assert LEFTOVER_REFERENCE.measure(case("When was he born?", "When was Jobs born?")) is None


def test_unchanged_and_over_edit_look_at_different_rows() -> None:
    lazy = case("When was he born?", "When was Jobs born?", "When was he born?")
    eager = case("When was Steve Jobs born in America?", "When was Steve Jobs born?", "When was Steve Jobs born?")
    assert figure(UNCHANGED, lazy) == 1.0
    assert OVER_EDIT.measure(lazy) is None
    assert figure(OVER_EDIT, eager) == 1.0
    assert UNCHANGED.measure(eager) is None
    assert (
        figure(OVER_EDIT, case("when was steve jobs born", "When was Steve Jobs born?", "When was Steve Jobs born?"))
        == 0.0
    )


PANDAS = Example(
    id="pandas",
    language="en",
    history=(Turn(role="user", content="What do pandas eat in Chengdu?"),),
    query="How long do they live?",
    analysis="'they' refers to pandas, which the user asked about before",
    needs_rewrite=True,
    rewrite="How long do pandas live?",
)


def test_words_of_an_example_in_the_rewrite_are_a_leak_unless_the_dialogue_has_them() -> None:
    query, reference = "What about in the US?", "What is the salary of a nurse in the US?"
    leak = case("How long do pandas live?", reference, query, "What does a nurse earn?", examples=(PANDAS,))
    assert figure(EXAMPLE_LEAK, leak) == 1.0
    own = case("How long do pandas live?", reference, query, "How long do pandas live?", examples=(PANDAS,))
    assert figure(EXAMPLE_LEAK, own) == 0.0
    assert EXAMPLE_LEAK.measure(case("How long do pandas live?", reference, query)) is None


@pytest.mark.parametrize(
    ("analysis", "expected"),
    [
        ("'they' refers to pandas, which the user asked about before", 1.0),
        ("it refers to the nurse", 0.0),
        ("the user asks about Chengdu", 1.0),
        (None, None),
    ],
)
def test_an_analysis_leaks_when_it_repeats_or_names_an_example(analysis: str | None, expected: float | None) -> None:
    one = case(
        "What is the salary of a nurse?",
        "What is the salary of a nurse?",
        "What is her salary?",
        "Who is a nurse?",
        examples=(PANDAS,),
        analysis=analysis,
    )
    if expected is None:
        assert ANALYSIS_LEAK.measure(one) is None
    else:
        assert figure(ANALYSIS_LEAK, one) == expected


def test_a_statement_in_the_place_of_a_question_is_an_answer() -> None:
    assert figure(ANSWER_INSTEAD, case("Steve Jobs was born in 1955.", "When was Steve Jobs born?")) == 1.0
    assert figure(ANSWER_INSTEAD, case("Tell me when Steve Jobs was born.", "When was Steve Jobs born?")) == 0.0
    assert figure(ANSWER_INSTEAD, case("门票是20元。", "天坛门票多少钱？", language="zh")) == 1.0
    assert figure(ANSWER_INSTEAD, case("帮我查一下天坛的门票", "天坛门票多少钱？", language="zh")) == 0.0
    assert ANSWER_INSTEAD.measure(case("x", "Book a table at Nandos.")) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Rewrite: who?",
        "改写后的问题：谁？",
        "```who?```",
        '{"rewrite": "who?"}',
        "a\nb",
        '"Who is he?"',
        "<answer>who?</answer>",
    ],
)
def test_decorated_rewrites_are_no_valid_form(text: str) -> None:
    assert not is_clean(text)


@pytest.mark.parametrize(
    "text", ["Who is he?", "《霸王别姬》的导演是谁？", "What is 3 < 5?", "Who said “I have a dream”?", "问题多吗？"]
)
def test_plain_rewrites_are_valid(text: str) -> None:
    assert is_clean(text)


def test_an_answer_that_did_not_parse_is_invalid_whatever_it_holds() -> None:
    assert figure(FORMAT_VALIDITY, case("Who is he?", "Who is he?", error="not JSON")) == 0.0


def test_language_match_and_length_ratio() -> None:
    assert figure(LANGUAGE_MATCH, case("天坛在哪？", "Where is the Temple?")) == 0.0
    assert figure(LANGUAGE_MATCH, case("123", "Where?")) == 0.0
    assert figure(LENGTH_RATIO, case("a b c", "a b"), case("a", "a b")) == 1.0


def test_readability_grades_worked_by_hand() -> None:
    assert [syllables(word) for word in ("time", "table", "area", "the", "readability")] == [1, 2, 2, 1, 5]
    assert flesch_kincaid("The cat sat. The dog ran.") == pytest.approx(0.39 * 3 + 11.8 * 1 - 15.59)
    assert flesch_kincaid("?") is None
    assert is_common("天")
    assert not is_common("鬱")
    assert jing_grade("天坛在哪") == pytest.approx(17.52547988 + 0.00242523 * 4 + 0.04414527 * 4 - 18.33435443)
    assert jing_grade("abc") is None


def test_no_metric_gives_a_figure_where_nothing_applies() -> None:
    nothing = np.zeros((1, BLEU.size))
    assert math.isnan(float(BLEU.combine(nothing)[0]))
    assert math.isnan(float(EXACT_MATCH.combine(np.zeros(2))))
    assert math.isnan(float(RESTORATION_F1.combine(np.zeros(3))))


def test_rouge_metrics_average_over_rows() -> None:
    rows = (case("a b", "a b"), case("c d", "a b"))
    assert [figure(metric, *rows) for metric in (ROUGE_1, ROUGE_2, ROUGE_L)] == [0.5, 0.5, 0.5]
