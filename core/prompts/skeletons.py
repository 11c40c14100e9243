"""What a text looks like: the same number of characters, each one that is dressed up replaced by the plain one under it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

UNSEEN = "\u200b"
"""Stands for every character that takes no room of its own: marks on a letter, joiners, fillers, tags, selectors."""

# The first character of each line is what the others look like. The brackets ‹ and « are those of quotes and titles as well.
_ALIKE = (
    "<＜﹤",
    "‹〈\u2329⟨❬❮❰⦑⧼˂ᐸᚲ⋖≺≮︿◁⊲◃\U0001d236",
    "«《⟪≪⋘︽",
    ">＞﹥›〉\u232a⟩❭❯❱⦒⧽˃ᐳ⋗≻≯﹀▷⊳▹\U0001d237»》⟫≫⋙︾",
    "[［",
    "【〔〖⟦❲﹝⦋⁅︹︻",
    "]］】〕〗⟧❳﹞⦌⁆︺︼",
    "/／⁄∕╱⟋⧸᜵⁁丿㇓\U0001d23a",
    "\\＼∖⧵⧹⟍╲﹨",
    "|｜¦￤ǀ∣❘￨│┃︱︳⎜⎟⎢⎥⏐▏▕╎┆┊║‖∥।丨㇑❙❚",
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
    "AАΑꓮᎪ",
    "CСϹꓚᏟ",
    "DꓓᎠ",
    "EЕΕꓰᎬ",
    "Fꓝ",
    "GꓖᏀ",
    "HНΗꓧᎻ",
    "IІΙӀꓲᏆ",
    "JꓙᎫ",
    "KКΚꓗᏦ",
    "LꓡᏞ",
    "MМΜꓟᎷ",
    "NΝꓠ",
    "OОΟꓳ",
    "PРΡꓑᏢ",
    "QԚ",
    "RꓣᎡ",
    "SЅꓢᏚ",
    "TТΤꓔᎢ",
    "UՍꓴ",
    "VѴꓦᏙ",
    "WԜꓪᎳ",
    "XХΧꓫ",
    "YУΥҮꓬ",
    "ZꓜᏃ",
    " \u2800",
)
BRACKETS = "".join(line for line in _ALIKE if line[0] in "<‹«[【")
"""All that opens something, or looks like it."""
CLOSING = next(line for line in _ALIKE if line[0] == "]")
"""Square brackets that close, and what looks like one: MiniMax's tokens begin with them."""
_PLAIN = {ord(letter): line[0] for line in _ALIKE for letter in line}
# Of what Unicode asks a reader to ignore, that which no category says; U+FFFC and U+FFFD stand for what cannot be shown.
_IGNORED = re.compile(
    r"[\u115f\u1160\u2065\u3164\uffa0\u17b4\u17b5\ufff0-\ufff8\ufffc\ufffd\U0001bca0-\U0001bca3\U000e0000-\U000e0fff]"
)
_LETTER = re.compile(
    r"(?:LATIN|REGIONAL INDICATOR|NEGATIVE (?:CIRCLED|SQUARED)|SQUARED|CIRCLED)\b.*? (?:LETTER|SYMBOL LETTER)"
    r"(?: SMALL CAPITAL)? (?:SMALL CAPITAL )?([A-Z])(?: WITH .*)?"
)


# Signs that stand for several letters, which Unicode takes apart: ﬁ, ㎞, ⅳ.
_SEVERAL = re.compile(
    "[\u0132\u0133\u01c4-\u01cc\u01f1-\u01f3\u2100\u2101\u2105\u2106\u2116\u2120-\u2122\u2160-\u217f"
    "\u249c-\u24b5\u32cc-\u32cf\u3371-\u337a\u3380-\u33df\ufb00-\ufb06\U0001f110-\U0001f129\U0001f14a-\U0001f16c]"
)


def spread(text: str) -> tuple[str, Sequence[int]]:
    """``text`` with signs of several letters taken apart, and where in ``text`` each of its characters comes from."""
    if text.isascii() or not _SEVERAL.search(text):
        return text, range(len(text))
    letters, origins = [], []
    for at, letter in enumerate(text):
        part = unicodedata.normalize("NFKD", letter) if _SEVERAL.match(letter) else letter
        letters.append(part)
        origins += [at] * len(part)
    return "".join(letters), origins


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

_OPENS = re.compile(
    rf"[{re.escape(BRACKETS)}](?!\s*(?:[\d\u3400-\u4e27\u4e29-\u4e3e\u4e40-\u9fff]|\Z))"
    rf"|[{re.escape(CLOSING)}](?=[^\w\s]|_)"
)


def may_open(text: str) -> bool:
    """Whether ``text`` has an opening bracket before anything but a number or a Chinese word: ``[1]`` and 《书名》 are none."""
    return _OPENS.search(text) is not None
