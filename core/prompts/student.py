"""The trained model, asked as it was trained: with the window, the examples and the prompt of its build.

Serving, evaluation and training runs all ask through a :class:`Student`. Asking in any other way measures, or serves,
another prompt than the one that the model knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from pairwright.core.config.build_file import ContextConfig, PromptConfig
from pairwright.core.config.sections import ExamplesConfig
from pairwright.core.errors import SourceError
from pairwright.core.identity import Row
from pairwright.core.language.text_analysis import detect_language
from pairwright.core.prompts.few_shot import ExampleIndex, read_examples
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.prompts.reply import Reply
from pairwright.core.records import Case, Example, Language, TaskKind, Turn
from pairwright.core.requests import ChatRequest


class Student(Row):
    """How a model is asked that learned from a build: the sections of its build file. The defaults are those of one."""

    kind: TaskKind = "rewrite"
    prompt: PromptConfig = Field(default_factory=PromptConfig)
    context: ContextConfig = Field(default_factory=ContextConfig)
    examples: ExamplesConfig = Field(default_factory=ExamplesConfig)

    @classmethod
    def from_build(cls, folder: Path | str) -> Student:
        """The student of the finished build in ``folder``.

        Raises:
            SourceError: the folder holds no finished build, or one of another version.
        """
        path = Path(folder) / "build.yaml"
        try:
            found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
            sections = {name: found[name] for name in ("prompt", "context", "examples")}
            return cls(kind=found.get("task", "rewrite"), **sections)
        except OSError as exc:
            raise SourceError(f"{folder}: no finished build (no build.yaml)", "Run the build first.") from exc
        except (yaml.YAMLError, TypeError, KeyError, ValueError) as exc:
            raise SourceError(
                f"{path}: not the build file that a finished build leaves", "Name the build's output folder."
            ) from exc

    def case(
        self,
        query: str,
        history: Sequence[Turn | Mapping[str, Any]] = (),
        language: Language | None = None,
        *,
        system: str = "",
        tools: str = "",
        steps: Sequence[Turn | Mapping[str, Any]] = (),
        examples: Sequence[Example] | None = None,
    ) -> Case:
        """What the model is to see of ``query``: the window that a build keeps of ``history``, and the examples it chooses.

        ``history`` is oldest first and does not contain ``query``; a turn may be written as ``{"role": "user", "content":
        "…"}``. ``system``, ``tools`` and ``steps`` are for students
        that answer: what the assistant was told, the definitions of its tools as a JSON array, and the calls since the
        query with their results. Without ``language`` it is found from what was said; ``examples`` replace the chosen ones.
        """
        turns = tuple(map(Turn.model_validate, history))
        language = language or _language_of(query, turns)
        said = Case(
            id="",
            kind=self.kind,
            language=language,
            history=turns,
            query=query,
            steps=tuple(map(Turn.model_validate, steps)),
            system=system,
            tools=tools,
        )
        seen = KINDS[self.kind].window(said, self.context)
        shown = self.choose_examples(query, seen.history, language) if examples is None else examples
        content = {**dict(seen), "examples": tuple(shown)}
        del content["id"]
        return Case.create(**content)

    @property
    def shows_examples(self) -> bool:
        """Whether the prompt has few-shot examples."""
        return KINDS[self.kind].few_shot and self.prompt.examples and self.examples.per_prompt > 0

    def choose_examples(
        self, query: str, history: Sequence[Turn], language: Language, reference: str | None = None
    ) -> tuple[Example, ...]:
        """The few-shot examples that the prompt shows; none that gives ``reference`` away.

        Raises:
            ConfigError: the bank of examples cannot be read.
        """
        if not self.shows_examples:
            return ()
        return self.example_index.choose(query, history, language, self.examples.per_prompt, reference)

    @cached_property
    def example_index(self) -> ExampleIndex:
        """The bank of examples, read once."""
        return ExampleIndex(read_examples(self.examples.path))

    def request(self, case: Case, max_tokens: int = 400) -> ChatRequest:
        """What to send to the model; sampling is greedy."""
        return KINDS[self.kind].student_request(case, self.prompt, max_tokens)

    def read(self, text: str) -> Reply:
        """What the model answered.

        Raises:
            ValueError: what is wrong with it, in one line.
        """
        return KINDS[self.kind].read_student(text, self.prompt)

    def prompt_hashes(self) -> dict[str, str]:
        """Hashes that name the text of the prompt by language, as ``export.json`` and the manifest hold them."""
        hashes = KINDS[self.kind].prompt_hashes(self.prompt)
        return {name: digest for name, digest in hashes.items() if name.startswith("student.")}


def _language_of(query: str, history: Sequence[Turn]) -> Language:
    """The language of what user and assistant said, as of a file's row that names none."""
    spoken = [turn.content for turn in history if turn.role in ("user", "assistant") and not turn.calls]
    return detect_language(" ".join((*spoken, query)))
