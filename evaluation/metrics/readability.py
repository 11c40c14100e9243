"""Readability as a school grade: Flesch-Kincaid for English, Jing's formula for Chinese. Mean over rows.

- English: 0.39 · words per sentence + 11.8 · syllables per word − 15.59 (Kincaid et al. 1975). Syllables are groups of
  vowels, less a silent final e, at least one per word.
- Chinese: 17.52547988 + 0.00242523 · characters + 0.04414527 · characters per sentence − 18.33435443 · share of common
  characters (荆溪昱 1995, school-book texts). Common are the 3,755 characters of GB 2312 level 1, in place of the
  original's list.

Both were made for texts of a paragraph and more: on single queries only the difference from the references' own
figure means something. Neither way is better.
"""

from __future__ import annotations

import re

from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums

_SENTENCE = re.compile(r"[^.!?。！？；;]+")
_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LEVEL_1 = range(0xB0, 0xD8)  # first bytes of GB 2312's rows 16 to 55


def flesch_kincaid(text: str) -> float | None:
    """Grade of an English text, None without a word."""
    found = _WORD.findall(text)
    if not found:
        return None
    sentences = sum(bool(_WORD.search(sentence)) for sentence in _SENTENCE.findall(text))
    return 0.39 * len(found) / max(sentences, 1) + 11.8 * sum(map(syllables, found)) / len(found) - 15.59


def syllables(word: str) -> int:
    """Syllables of an English word, by its vowels."""
    word = word.lower()
    count = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith(("le", "ee", "ie", "oe", "ue", "ye")) and count > 1
    return max(1, count - silent)


def jing_grade(text: str) -> float | None:
    """Grade of a Chinese text, None without a Han character."""
    found = _HAN.findall(text)
    if not found:
        return None
    sentences = sum(bool(_HAN.search(sentence)) for sentence in _SENTENCE.findall(text))
    common = sum(map(is_common, found)) / len(found)
    return 17.52547988 + 0.00242523 * len(found) + 0.04414527 * len(found) / max(sentences, 1) - 18.33435443 * common


def is_common(character: str) -> bool:
    """True for the 3,755 characters of GB 2312 level 1."""
    code = character.encode("gb2312", errors="ignore")
    return len(code) == 2 and code[0] in _LEVEL_1


def _grade(case: MetricCase) -> Sums | None:
    measure = jing_grade if case.row.language == "zh" else flesch_kincaid
    grade = measure(case.prediction.rewrite)
    return None if grade is None else (grade, 1.0)


READABILITY = Metric("readability", "school grade needed to read the rewrite", "neither", _grade, percent=False)
