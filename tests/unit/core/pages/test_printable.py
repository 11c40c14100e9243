"""Text that may be shown: what is taken out of it, and what is not."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rendered import HOSTILE

from pairwright.core.pages.printable import one_line, printable, spelled_out


@pytest.mark.parametrize(
    "text",
    ["", "Who?", "谁发现了它？", "naïve café\tꞏ\n½ €", "👩‍👩‍👧‍👦 👍🏽 ❤️‍🔥 🇫🇷", "葛\U000e0100", "e\u0301"],
)
def test_what_can_be_seen_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x9b0m", "\ufffd[31mred\ufffd0m"),
        ("a\x00b\x7fc\ud800", "a\ufffdb\ufffdc\ufffd"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("in\u00advis\u200bi\u2060ble\ufeff", "invisible"),
        ("pay\u200dpal", "paypal"),
        ("\U000e0041\U000e0042hidden", "hidden"),
        ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h", "a\nb\nc\nd\ne\nf\ng\nh"),
    ],
)
def test_what_cannot_be_seen_is_told_or_left_out(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert one_line(f" {text}\n") == " ".join(shown.split("\n"))


@given(st.text() | st.sampled_from(HOSTILE))
@example("\U0001f469\u200b\u200d\U0001f469")
def test_nothing_is_left_that_steers_and_twice_is_once(text: str) -> None:
    shown = printable(text)
    assert not [letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t"]
    assert not [
        letter for letter in shown if unicodedata.bidirectional(letter) in ("LRO", "RLO", "LRE", "RLE", "LRI", "RLI")
    ]
    assert printable(shown) == shown
    assert "\n" not in one_line(text)


@given(st.text() | st.sampled_from(HOSTILE))
def test_spelled_out_json_says_the_same(text: str) -> None:
    spelled = spelled_out(json.dumps([text], ensure_ascii=False))
    assert json.loads(spelled) == [text]
    assert printable(spelled) == spelled
