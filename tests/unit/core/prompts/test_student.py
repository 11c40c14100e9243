"""A student is asked as its build trained it: the same window, the same examples, the same prompt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import answers
import pytest
import recipe_builds
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pairwright.core.config.build_file import BuildConfig, ContextConfig, PromptConfig
from pairwright.core.config.sections import ExamplesConfig
from pairwright.core.errors import SourceError
from pairwright.core.identity import content_id
from pairwright.core.prompts.few_shot import read_examples
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.prompts.student import Student
from pairwright.core.records import Conversation, Task, TaskKind, Turn
from pairwright.evaluation.gold_rows import gold_of_build, read_gold
from pairwright.evaluation.systems.student_requests import RequestOptions, like_build, request_for, with_examples
from pairwright.pipelines.ingest.answer_contexts import find_answers, window_answers
from pairwright.pipelines.ingest.answer_dialogues import check_answerable
from pairwright.pipelines.ingest.contexts import find_queries, window_queries
from pairwright.pipelines.ingest.sources import FileSource
from pairwright.testing import factories
from places import ROOT

DATA = ROOT / "examples" / "data"
SHORT = ContextConfig(turns=2, max_tokens=120, queries="every")
OPTIONS = {
    "plain": Student(),
    "analysis": Student(prompt=PromptConfig(analysis=True)),
    "labels": Student(
        prompt=PromptConfig(form="plain", style_tag=True, style="informative"),
        context=ContextConfig(turns=2, max_tokens=200),
    ),
    "bare": Student(prompt=PromptConfig(examples=False)),
}


def dialogues(name: str) -> list[Conversation]:
    """The dialogues of an example file, without the rewrites that some have."""
    source = FileSource(source="s", path=str(DATA / name), licence="MIT")
    found = [row for row in source.read() if isinstance(row, Conversation)]
    assert found
    return found[:12]


def build_folder(folder: Path, **config: Any) -> Path:
    """What ``from_build`` reads of a finished build."""
    settings: BuildConfig = factories.build_result(folder, **config).config
    (folder / "build.yaml").write_text(yaml.safe_dump(settings.model_dump(mode="json"), allow_unicode=True))
    return folder


def rewrite_tasks(conversations: list[Conversation], student: Student) -> Iterator[tuple[Task, tuple[Turn, ...]]]:
    bank = read_examples(student.examples.path)
    for place in find_queries(conversations, student.context):
        for task in window_queries([place], student.context, bank, student.examples.per_prompt):
            if isinstance(task, Task):
                yield task, place.conversation.turns[: place.position]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dialogues.zh.jsonl", "dialogues.en.jsonl"])
def test_a_rewriting_case_has_the_window_and_the_examples_of_a_build(name: str) -> None:
    student = Student(context=SHORT, examples=ExamplesConfig(per_prompt=2))
    found = list(rewrite_tasks(dialogues(name), student))
    for task, before in found:
        case = student.case(task.query, before, task.language)
        assert (case.history, case.examples) == (task.history, task.examples)
        assert student.request(case) == student.request(task)
    assert len(found) > 20
    assert any(task.cut_turns for task, _ in found)


@pytest.mark.parametrize("name", ["tools.zh.jsonl", "tools.en.jsonl"])
def test_an_answering_case_has_the_window_of_a_build(name: str) -> None:
    context = ContextConfig(turns=2, max_tokens=1500, queries="every")
    student = Student(kind="answer", context=context)
    seen, cut = 0, 0
    ready = [row for row in check_answerable(dialogues(name)) if isinstance(row, Conversation)]
    for place in find_answers(ready, context):
        for task in window_answers([place], context):
            if not isinstance(task, Task):
                continue
            said = place.conversation.turns[: place.position]
            asked = max(at for at, turn in enumerate(said) if turn.role == "user")
            case = student.case(
                task.query, said[:asked], task.language, tools=place.conversation.tools, steps=task.steps
            )
            assert (case.system, case.history, case.steps) == (task.system, task.history, task.steps)
            assert student.request(case) == student.request(task)
            seen, cut = seen + 1, cut + (task.cut_turns > 0)
    assert seen > 20
    assert cut


def test_what_an_assistant_was_told_can_stand_apart_from_the_history() -> None:
    told = factories.turns(("system", "Be brief."))
    student = Student(kind="answer")
    assert student.case("Hi", told).system == student.case("Hi", system="Be brief.").system == "Be brief."
    assert student.case("Hi", told).history == ()


def test_turns_may_be_written_as_dictionaries() -> None:
    said = [{"role": "user", "content": "白鹤湾大酒店怎么样？"}, {"role": "assistant", "content": "很不错。"}]
    case = Student().case("它几点关？", said)
    assert case == Student().case(
        "它几点关？", [Turn(role="user", content="白鹤湾大酒店怎么样？"), Turn(role="assistant", content="很不错。")]
    )
    assert case.language == "zh"


def test_the_language_is_that_of_what_was_said() -> None:
    history = factories.turns(("user", "介绍一下莫扎特的生平"), ("assistant", "莫扎特是奥地利作曲家。"))
    assert Student().case("Don Giovanni?", history).language == "zh"
    assert Student().case("Don Giovanni?", history, "en").language == "en"
    assert Student().case("Don Giovanni?").language == "en"


@pytest.mark.parametrize("student", [Student(prompt=PromptConfig(examples=False)), Student(kind="answer")])
def test_a_student_that_is_shown_no_examples_reads_no_bank(student: Student) -> None:
    blind = student.model_copy(update={"examples": ExamplesConfig(path="no such file")})
    assert blind.case("When was she born?").examples == ()
    assert not blind.shows_examples


def test_given_examples_replace_the_chosen_ones() -> None:
    own = (factories.example(id="own"),)
    assert Student().case("When was she born?", examples=own).examples == own
    assert Student().case("When was she born?", examples=()).examples == ()


@pytest.mark.parametrize("kind", KINDS)
def test_the_student_of_a_build_has_the_sections_of_its_build_file(tmp_path: Path, kind: TaskKind) -> None:
    sections = {"prompt": {"style": "informative"}, "context": {"turns": 1}, "examples": {"per_prompt": 2}}
    folder = build_folder(tmp_path, task=kind, **sections)
    student = Student.from_build(folder)
    assert student == Student.from_build(str(folder))
    assert student.kind == kind
    assert (student.prompt.style, student.context.turns, student.examples.per_prompt) == ("informative", 1, 2)


def test_a_folder_without_a_finished_build_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no finished build \(no build.yaml\)"):
        Student.from_build(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "- 1", "{", "name: x\nsources: []", "prompt: {}\ncontext: {}\nexamples: {per_prompts: 1}"],
)
def test_a_build_file_that_no_build_left_is_a_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "build.yaml").write_text(text)
    with pytest.raises(SourceError, match="not the build file that a finished build leaves") as caught:
        Student.from_build(tmp_path)
    assert "output folder" in caught.value.hint


def test_an_answer_is_read_as_the_prompt_asks_for_it() -> None:
    said = Student(prompt=PromptConfig(analysis=True)).read('{"analysis": "a", "rewrite": "b"}')
    assert (said.text, said.analysis) == ("b", "a")
    assert Student().read(" When was Ada born? ").text == "When was Ada born?"
    assert Student(kind="answer").read('<tool_call>{"name": "f", "arguments": {}}</tool_call>').text == (
        '[{"name": "f", "arguments": {}}]'
    )
    for student in (Student(), Student(kind="answer"), Student(prompt=PromptConfig(analysis=True))):
        with pytest.raises(ValueError, match=r"empty|JSON"):
            student.read(" ")


@pytest.mark.parametrize("kind", KINDS)
def test_the_hashes_name_the_students_prompt_alone(kind: TaskKind) -> None:
    hashes = Student(kind=kind).prompt_hashes()
    assert sorted(hashes) == ["student.en", "student.zh"]
    assert hashes.items() <= KINDS[kind].prompt_hashes(PromptConfig()).items()


@pytest.mark.slow
@given(
    said=st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), st.text(max_size=8)), max_size=8),
    kind=st.sampled_from(list(KINDS)),
    turns=st.integers(0, 3),
)
def test_a_window_of_a_window_is_the_same(said: list[tuple[str, str]], kind: TaskKind, turns: int) -> None:
    student = Student(kind=kind, context=ContextConfig(turns=turns, max_tokens=20), prompt=PromptConfig(examples=False))
    once = student.case("q?", factories.turns(*said), "en")
    again = student.case("q?", once.history, "en", system=once.system)
    assert again == once
    assert sum(turn.role == "user" for turn in once.history) <= turns


# Hashes of all requests together, as they were before there was a Student: people's ledgers hold answers to them.


@pytest.mark.parametrize(
    ("name", "option", "requests"),
    [
        ("zh_gold", "plain", "3b454cc1a244becc"),
        ("zh_gold", "analysis", "1ed981a845f8c888"),
        ("zh_gold", "labels", "92314b2b969408c2"),
        ("zh_gold", "bare", "a74d6203acc07f46"),
        ("cast19.en", "plain", "ad488649891afb88"),
        ("cast19.en", "analysis", "0811c16bbfe3de4d"),
        ("cast19.en", "labels", "481c87e7cea2af2d"),
        ("cast19.en", "bare", "c1780a728c9c08d7"),
        ("gecor.en", "plain", "2cfeff532f15a174"),
        ("gecor.en", "analysis", "e33a419cd071f7de"),
        ("gecor.en", "labels", "5d1cc0119acec88f"),
        ("gecor.en", "bare", "2a8738f7eb852b5e"),
    ],
)
def test_evaluation_sends_the_requests_that_it_always_sent(name: str, option: str, requests: str) -> None:
    options = RequestOptions(student=OPTIONS[option])
    gold = with_examples(read_gold(DATA / f"{name}.jsonl"), options)
    assert content_id([request_for(row, options) for row in gold.rows]) == requests


def test_held_out_rows_of_a_build_send_the_requests_that_they_always_sent(tmp_path: Path) -> None:
    build = recipe_builds.finished_build(tmp_path)
    options = like_build(build, RequestOptions())
    gold = with_examples(gold_of_build(build, ("train", "validation", "test")), options)
    assert content_id([request_for(row, options) for row in gold.rows]) == "204fe5289b7afc07"


@pytest.mark.parametrize(("tools", "requests"), [("native", "3d2f8a2c5770beb6"), ("text", "cb12895fbeeb3eb8")])
def test_an_answering_student_is_sent_what_it_always_was(tools: Any, requests: str) -> None:
    student = Student(kind="answer", prompt=PromptConfig(tools=tools))
    assert content_id([student.request(task) for task, _, _ in answers.cases()]) == requests
