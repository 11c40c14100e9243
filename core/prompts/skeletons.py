"""What a text looks like: the same number of characters, each one that is dressed up replaced by the plain one under it."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

UNSEEN = "\u200b"
"""Stands for every character that takes no room of its own: marks on a letter, joiners, fillers, tags, selectors."""

# The first character of each line is what the others look like. The brackets ‹ and « are those of quotes and titles as well.
_ALIKE = (
    "<＜﹤",
    "‹〈\u2329⟨❬❮❰⦑⧼˂ᐸᚲ⋖≺≮︿\U0001d236",
    "«《⟪≪⋘︽",
    ">＞﹥›〉\u232a⟩❭❯❱⦒⧽˃ᐳ⋗≻≯﹀\U0001d237»》⟫≫⋙︾",
    "[［",
    "【〔〖⟦❲﹝⦋⁅︹︻",
    "]］】〕〗⟧❳﹞⦌⁆︺︼",
    "/／⁄∕╱⟋⧸᜵⁁\U0001d23a",
    "\\＼∖⧵⧹⟍╲﹨",
    "|｜¦￤ǀ∣❘￨│┃︱︳⎜⎟⎢⎥⏐▏▕╎┆┊║‖∥।",
    "_＿‗﹍﹎﹏▁ˍ",
    "aаαɑ",
    "cсϲⅽ",
    "dԁ",
    "eеєεҽ",
    "gցɡ",
    "hһհн",
    "iіιıɩӏ",
    "kкκ",
    "lⅼ",
    "mмⅿ",
    "nпηո",
    "oоοօσ",
    "pрρ",
    "qԛ",
    "rгᴦ",
    "sѕ",
    "tтτ",
    "uυսμ",
    "vνѵ",
    "wԝωա",
    "xхχ",
    "yуγү",
    "AАΑ",
    "CСϹ",
    "EЕΕ",
    "HНΗ",
    "IІΙӀ",
    "KКΚ",
    "MМΜ",
    "NΝ",
    "OОΟ",
    "PРΡ",
    "QԚ",
    "SЅ",
    "TТΤ",
    "UՍ",
    "VѴ",
    "WԜ",
    "XХΧ",
    "YУΥҮ",
    " \u2800",
)
BRACKETS = "".join(line for line in _ALIKE if line[0] in "<‹«[【")
"""All that opens something, or looks like it."""
_PLAIN = {ord(letter): line[0] for line in _ALIKE for letter in line}
# Of what Unicode asks a reader to ignore, that which no category says; U+FFFC and U+FFFD stand for what cannot be shown.
_IGNORED = re.compile(
    r"[\u115f\u1160\u3164\uffa0\u17b4\u17b5\ufff0-\ufff8\ufffc\ufffd\U0001bca0-\U0001bca3\U000e0000-\U000e0fff]"
)
_LETTER = re.compile(
    r"(?:LATIN|REGIONAL INDICATOR|NEGATIVE (?:CIRCLED|SQUARED)|SQUARED|CIRCLED)\b.*? (?:LETTER|SYMBOL LETTER)"
    r"(?: SMALL CAPITAL)? (?:SMALL CAPITAL )?([A-Z])(?: WITH .*)?"
)


def skeleton(text: str) -> str:
    """``text`` as long as it was: look-alikes of brackets, slashes, bars, spaces and letters as the plain ones.

    Opening brackets that mean something else in good texts become ``‹`` (one), ``«`` (two) and ``【`` (square).
    """
    return text if text.isascii() else text.translate(_TABLE)


class _Table(dict[int, str]):
    """Looks up each character once; those of rare planes that stay as they are every time, so that it stays small."""

    def __missing__(self, number: int) -> str:
        found = _plain(number)
        if number < 0x10000 or found != chr(number):
            self[number] = found
        return found


def _plain(number: int) -> str:
    letter = chr(number)
    if number < 0x80:
        return letter
    if _IGNORED.match(letter) or unicodedata.category(letter) in {"Cf", "Co", "Mn", "Mc", "Me"}:
        return UNSEEN
    spread = unicodedata.normalize("NFKD", letter)
    first, rest = spread[0], spread[1:]
    if first != letter and all(map(unicodedata.combining, rest)):
        return _PLAIN.get(ord(first), first)
    if named := _LETTER.fullmatch(unicodedata.name(letter, "")):
        return named[1].lower()
    return letter


_TABLE = _Table(_PLAIN)


@cache
def spelled(name: str) -> str:
    """A pattern for ``name`` in a skeleton, with spaces and unseen characters between its letters."""
    return GAP.join(map(re.escape, name))


GAP = rf"[\s{UNSEEN}]*"
"""A pattern: what may stand between a bracket and what it opens."""

_OPENS = re.compile(rf"[{re.escape(BRACKETS)}](?!\s*(?:[\d\u3400-\u9fff]|\Z))")


def may_open(text: str) -> bool:
    """Whether ``text`` has an opening bracket before anything but a number or a Chinese word: ``[1]`` and 《书名》 are none."""
    return _OPENS.search(text) is not None
