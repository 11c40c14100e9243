"""How a student's prompt sets off turns, query and examples: by tags, or by labels on lines of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from pairwright.core.prompts.escaping import escape
from pairwright.core.records import Example, Language, Role, Turn


class PromptForm(Protocol):
    """Writes the parts of a prompt; dialogue text cannot be mistaken for any of them."""

    def text(self, text: str) -> str:
        """One text of a dialogue."""
        ...

    def turns(self, turns: Iterable[Turn]) -> str:
        """The turns of a history, each on a line."""
        ...

    def example(self, example: Example, answer: str) -> str:
        """One few-shot example with its answer."""
        ...

    def style(self, style: str) -> str:
        """The line that names the target style."""
        ...


class Tagged:
    """``<history>``, ``<user>`` and so on; text in them is escaped."""

    def text(self, text: str) -> str:
        return escape(text)

    def turns(self, turns: Iterable[Turn]) -> str:
        return "".join(f"<{turn.role}>{escape(turn.content)}</{turn.role}>\n" for turn in turns)

    def example(self, example: Example, answer: str) -> str:
        return (
            f"<example>\n<history>\n{self.turns(example.history)}</history>\n"
            f"<current_query>{escape(example.query)}</current_query>\n<answer>{escape(answer)}</answer>\n</example>\n"
        )

    def style(self, style: str) -> str:
        return f"<style>{style}</style>\n"


@dataclass(frozen=True)
class Labelled:
    """A label, then a text on the same line: texts are escaped and their line breaks become spaces, so that no text can
    begin a line with a label."""

    speakers: Mapping[Role, str]
    example_head: str
    history: str
    query: str
    answer: str
    style_label: str

    def text(self, text: str) -> str:
        return " ".join(escape(text).splitlines())

    def turns(self, turns: Iterable[Turn]) -> str:
        return "".join(f"{self.speakers[turn.role]}{self.text(turn.content)}\n" for turn in turns)

    def example(self, example: Example, answer: str) -> str:
        return (
            f"{self.example_head}\n{self.history}\n{self.turns(example.history)}"
            f"{self.query}{self.text(example.query)}\n{self.answer}{self.text(answer)}\n\n"
        )

    def style(self, style: str) -> str:
        return f"{self.style_label}{style}\n"


TAGGED = Tagged()


@cache
def labelled_form(language: Language) -> Labelled:
    """The labels of a language; those of history and query stand in ``student.LANGUAGE.txt`` as well."""
    if language == "zh":
        speakers: Mapping[Role, str] = {"user": "用户：", "assistant": "助手：", "system": "系统：", "tool": "工具："}
        return Labelled(speakers, "例子", "对话：", "当前问题：", "答案：", "风格：")
    speakers = {"user": "User: ", "assistant": "Assistant: ", "system": "System: ", "tool": "Tool: "}
    return Labelled(speakers, "Example", "Dialogue:", "Current query: ", "Answer: ", "Style: ")
