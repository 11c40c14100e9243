"""Every benchmark reader reads a file in the form in which its authors publish it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pairwright.core.errors import ConfigError, SourceError
from pairwright.evaluation.benchmark_readers import open_gold, unspaced
from pairwright.evaluation.gold_rows import GoldRow

CANARD = [
    {
        "History": ["Frank Zappa", "Disbandment", "What group disbanded?", "The Mothers of Invention"],
        "QuAC_dialog_id": "C_1_0",
        "Question": "When did they disband?",
        "Question_no": 2,
        "Rewrite": "When did The Mothers of Invention disband?",
    }
]
QRECC = [
    {
        "Context": ["What can you tell me about Gary Cherone?", "He is a singer."],
        "Question": "Did he sing well?",
        "Rewrite": "Did Gary Cherone sing well?",
        "Answer": "Yes.",
        "Answer_URL": "",
        "Conversation_no": 1,
        "Turn_no": 2,
        "Conversation_source": "quac",
    }
]
CAST19 = [
    {
        "number": 31,
        "title": "cancer",
        "turn": [
            {"number": 1, "raw_utterance": "What is throat cancer?"},
            {"number": 2, "raw_utterance": "Is it treatable?"},
        ],
    }
]
CAST19_RESOLVED = "31_1\tWhat is throat cancer?\n31_2\tIs throat cancer treatable?\n"
CAST21 = [
    {
        "number": 106,
        "turn": [
            {
                "number": 1,
                "raw_utterance": "What is a biopsy?",
                "manual_rewritten_utterance": "What is a biopsy?",
                "passage": "A biopsy takes tissue.",
            },
            {"number": 2, "raw_utterance": "Does it hurt?", "manual_rewritten_utterance": "Does a biopsy hurt?"},
        ],
    }
]
IKAT = [
    {
        "number": "9-1",
        "title": "diet",
        "ptkb": {"1": "I am vegan."},
        "turns": [
            {
                "turn_id": 1,
                "utterance": "Which diet suits me?",
                "resolved_utterance": "Which diet suits me?",
                "response": "A vegan one.",
            },
            {
                "turn_id": 2,
                "utterance": "Is it cheap?",
                "resolved_utterance": "Is a vegan diet cheap?",
                "response": "Yes.",
            },
        ],
    }
]
GECOR = [
    {
        "dialogue_id": 0,
        "dial": [
            {
                "turn": 0,
                "usr": {
                    "transcript": "A cheap restaurant?",
                    "transcript_complete": "A cheap restaurant?",
                    "transcript_with_ellipsis": "",
                    "transcript_with_coreference": "",
                },
                "sys": {"sent": "Nandos is cheap."},
            },
            {
                "turn": 1,
                "usr": {
                    "transcript": "Its address?",
                    "transcript_complete": "The address of Nandos?",
                    "transcript_with_ellipsis": "Address?",
                    "transcript_with_coreference": "Its address?",
                },
                "sys": {"sent": "Main Street."},
            },
        ],
    }
]
RESTORATION_SOURCE = "你 喜 欢 周 杰 伦 吗 <split> 喜 欢 || 他 的 歌 呢 | 1\n这 行 断\t了 || 已 经\n玩 过 了 | 2\n"
RESTORATION_TARGET = "周 杰 伦 的 歌 呢\n已 经 玩 过 了\n"


def write(path: Path, content: Any) -> str:
    """Write text, or JSON, and return the path as the command line would have it."""
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def last(spec: str) -> GoldRow:
    """The last row of a benchmark."""
    return open_gold(spec).rows[-1]


@pytest.mark.parametrize(
    ("reader", "content", "query", "reference", "turns"),
    [
        ("canard", CANARD, "When did they disband?", "When did The Mothers of Invention disband?", 4),
        ("qrecc", QRECC, "Did he sing well?", "Did Gary Cherone sing well?", 2),
        ("cast", CAST21, "Does it hurt?", "Does a biopsy hurt?", 2),
        ("ikat", IKAT, "Is it cheap?", "Is a vegan diet cheap?", 2),
        ("gecor", GECOR, "Its address?", "The address of Nandos?", 2),
        ("rewrite", "你喜欢天坛吗\t\t喜欢\t\t它在哪\t\t天坛在哪\n", "它在哪", "天坛在哪", 2),
    ],
)
def test_single_file_benchmarks(
    tmp_path: Path, reader: str, content: Any, query: str, reference: str, turns: int
) -> None:
    row = last(f"{reader}:{write(tmp_path / 'data', content)}")
    assert (row.query, row.reference, len(row.history)) == (query, reference, turns)
    assert [turn.role for turn in row.history] == ["user", "assistant"] * (turns // 2)


def test_cast19_joins_topics_with_resolved_utterances(tmp_path: Path) -> None:
    row = last(f"cast19:{write(tmp_path / 't.json', CAST19)},{write(tmp_path / 'r.tsv', CAST19_RESOLVED)}")
    assert (row.id, row.reference) == ("31_2", "Is throat cancer treatable?")
    assert [turn.role for turn in row.history] == ["user"]


def test_gecor_gives_a_row_per_kind_and_says_which_was_really_said(tmp_path: Path) -> None:
    rows = open_gold(f"gecor:{write(tmp_path / 'g.json', GECOR)}").rows
    assert [(row.id, row.defect) for row in rows] == [
        ("0_0_none", "none"),
        ("0_1_ellipsis", "ellipsis"),
        ("0_1_coreference", "coreference"),
    ]
    assert {row.dialogue for row in rows} == {"0"}


def test_restoration_200k_is_joined_from_two_files_with_its_broken_line(tmp_path: Path) -> None:
    write(tmp_path / "test.tr", RESTORATION_TARGET)
    rows = open_gold(f"restoration200k:{write(tmp_path / 'test.sr', RESTORATION_SOURCE)}").rows
    assert [(row.query, row.reference) for row in rows] == [("他的歌呢", "周杰伦的歌呢"), ("已经玩过了", "已经玩过了")]
    assert [turn.content for turn in rows[0].history] == ["你喜欢周杰伦吗", "喜欢"]


def test_restoration_200k_with_unequal_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "test.tr", "一\n")
    with pytest.raises(SourceError, match="2 dialogues but 1 rewrites"):
        open_gold(f"restoration200k:{write(tmp_path / 'test.sr', RESTORATION_SOURCE)}")


def test_latin_words_keep_their_spaces_when_chinese_is_joined() -> None:
    assert unspaced("我 喜 欢 New York 的 天 气 ！") == "我喜欢New York的天气！"


def test_unknown_readers_wrong_files_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no reader 'canrad'; there are: canard"):
        open_gold("canrad:dev.json")
    with pytest.raises(SourceError, match="not a canard file: key 'History' is missing"):
        open_gold(f"canard:{write(tmp_path / 'x.json', [{'QuAC_dialog_id': '1', 'Question_no': 1}])}")
    with pytest.raises(SourceError, match="No such file"):
        open_gold(f"canard:{tmp_path / 'none.json'}")
