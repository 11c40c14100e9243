"""What a model answered, as it was read."""

from __future__ import annotations

from pairwright.core.identity import Row


class Reply(Row):
    """The ``text`` of an answer: a rewrite, words, or calls as JSON (see ``core/tool_calls.py``).

    ``analysis`` and ``needs_rewrite`` are there where the prompt asks for them.
    """

    text: str
    analysis: str | None = None
    needs_rewrite: bool | None = None
