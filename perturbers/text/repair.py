"""Mends a text after an edit, so that it reads like something a small model would write, not like a broken string.

:func:`repair` puts right what deleting or replacing words leaves behind: dangling 的, of or 's, doubled particles,
articles, capitals, spaces and punctuation. :func:`broken` names what it could not mend.
"""

from __future__ import annotations

import re

from pairwright.core.records import Language
from pairwright.perturbers.text import english

# the last full stop of D.C. belongs to the name
_FINAL = re.compile(r"(?!(?<=\.[A-Z])\.)[\s?？.。!！…~～,，;；]*$")

# In this order: what one rule leaves behind a later one mends. So with the Chinese ones.
_EN_RULES = (
    (r"\s+", " "),
    (r"\(\s*\)|\[\s*\]|\"\s*\"|“\s*”", ""),
    (r"\s+([,.;:?!)\]])", r"\1"),
    (r"([(\[])\s+", r"\1"),
    (r"\s+(['’]s\b)", r"\1"),
    (r"\b(the|a|an)['’]s\b", r"\1"),
    (r"\b(?:a|an|the) (?=(?:a|an|the|this|that|these|those|my|your|its|their|our|his|her|some|any) )", ""),
    (r"\b(this|that|these|those|my|your|its|their|our|his|her) (?:a|an|the) ", r"\1 "),
    (r"\b(of|in|on|at|for|with|from|to|about|by|and|or|the|a|an|is|are|was|were|as|than) \1\b(?! \1)", r"\1"),
    (r"\b(?:of|for|with|about|from|between|than|to) (?=(?:of|in|at|for|with|about|from|between|and|or|please)\b)", ""),
    (r"\b(?:a|an|the) (?=(?:of|in|on|at|for|with|from|to|by|and|or|is|are|was|were)\b)", ""),
    (r"\b(?:and|or),? (?=(?:and|or)\b)", ""),
    (r",(?:\s*,)+", ","),
    (r",\s*(?=[.?!])", ""),
    (r"^(?:\s*[,;.:])+\s*", ""),
    (r"([.?!]\s+),\s*", r"\1"),
    (r" {2,}", " "),
)
_EN_DANGLING = re.compile(
    r"(?:\s+(?:of|for|in|at|on|with|from|by|to|about|than|as|the|a|an|and|or|between|'s|’s))+$", re.I
)
_ZH_STRAY_DE = r"(?<=[在去从])的(?=[\u4e00-\u9fff])"
_ZH_RULES = (
    (r"[（(]\s*[)）]|《\s*》|“\s*”", ""),
    (r"的{2,}", "的"),
    (r"(?<![好有])了{2,}", "了"),
    (r"([吗呢吧啊呀嘛哦])\1+", r"\1"),
    (r"、{2,}", "、"),
    (r"那那(?=[里边个家首部张位])", "那"),
    (r"[、和与](?=[、，。？！?!,]|$)", ""),
    (r"、?(?:和|与)(?=的)", ""),
    (r"(?:^|(?<=[，。？！?!,、\s]))[的、和与及](?=[\u4e00-\u9fff])(?!和|与)", ""),
    (_ZH_STRAY_DE, ""),
    (r"^[，。、！!?？,\s]+", ""),
    (r"[，,]{2,}", "，"),
    (r"[，,、](?=[。？！?!]|$)", ""),
    (r"(?<=[\u4e00-\u9fff，。？！、]) +(?=[\u4e00-\u9fff，。？！、])", ""),
)
_ZH_BROKEN = re.compile(
    r"就了|(?<![收找得看遇听想知碰达直])到(?=[，。？！?!]|$)|带(?=转|去|来|看|吃|玩)|[对把被给向跟从](?=[，。？！?!,]|$)|[对从][也都的里]|把(?:的|发给)|^(?:是|和|的)(?=[？?]|$)|比(?=[，。？！?!]|$)|比(?:更|还|贵|便宜|好|高)"
    r"|关于(?=[，。？！?!你]|$)|在(?=[，。？！?!]|$)|去(?=的)|从到|与(?=[的都])|叫(?=[，。？！?!]|$)|是(?=[，。？！?!]|$)(?<!但是)(?<!可是)(?<!于是)(?<!还是)(?<!就是)(?<!而是)(?<!不是)(?<!的是)(?<!是)"
    r"|[的][的地得]|（(?![^（）]*）)|\((?![^()]*\))|《(?![^《》]*》)"
)
_EN_BROKEN = re.compile(
    r"\b(?:the|a|an|of|between)[?.!,]|\b(?:the|a|an) (?:is|are|was|were|does|do|did|has|have|of|in|for|and|or)\b"
    r"|\b(?:of|for|with|between) (?:and|or|is|are|was|were|does|of|for)\b|\b(?:between|both) (?:and|\w+\s*[?.])"
    r"|\b(?:is|are|was|were|does|do|did) (?:and|or|of)\b|(?<![\w])['’]s\b",
    re.I,
)


def repair(text: str, chosen: str, language: Language) -> str:
    """``text`` mended; it ends in the punctuation of ``chosen`` and starts with its kind of letter."""
    body = _repair_zh(text, chosen) if language == "zh" else _repair_en(text, chosen)
    if not body:
        return ""
    return body + final_marks(chosen)


def final_marks(text: str) -> str:
    """The punctuation and spaces at the end of a text."""
    found = _FINAL.search(text)
    return found.group() if found else ""


def without_final_marks(text: str) -> str:
    """The text without the punctuation at its end."""
    return _FINAL.sub("", text)


def in_the_place_of(text: str, chosen: str) -> str:
    """``text`` with the final punctuation of ``chosen``, unless one of the two asks and the other does not."""
    same_kind = bool(re.search(r"[?？]", final_marks(text))) == bool(re.search(r"[?？]", final_marks(chosen)))
    return without_final_marks(text) + final_marks(chosen) if same_kind or not final_marks(text).strip() else text


def broken(text: str, chosen: str, language: Language) -> str:
    """What in ``text`` is still no sentence and was not so in ``chosen``; empty when nothing is."""
    pattern = _ZH_BROKEN if language == "zh" else _EN_BROKEN
    excused = {match.group() for match in pattern.finditer(chosen)}
    for match in pattern.finditer(text):
        if match.group() not in excused:
            return match.group()
    return ""


def agree(text: str, start: int, end: int, plural: bool) -> str:
    """``text`` with the is/are, was/were, does/do, has/have beside ``text[start:end]`` put in the right number.

    Only the verb right before the phrase (a question) or right after it (a statement) is touched.
    """
    before = re.search(
        r"\b(is|are|was|were|does|do|has|have)(\s+(?:the |a |an |this |that |these |those )?)$", text[:start], re.I
    )
    after = re.match(r"(\s+)(is|are|was|were|does|do|has|have)\b", text[end:], re.I)
    inverted = before is not None and (
        before.start() == 0
        or re.search(r"(?:\b(?:what|who|where|when|why|how|which|and|\w+ly)|[.?!,])\s+$", text[: before.start()], re.I)
    )
    if before and (inverted or before.group(1).lower() in ("do", "does")):
        verb = _in_number(before.group(1), plural)
        return text[: before.start()] + verb + before.group(2) + text[start:]
    if after and not re.search(
        r"\b(?:of|in|for|with|about|between|to|from|on|at|did|can|could|will|would|shall|should|may|might|must)"
        r"\s+(?:the |a |an )?$",
        text[:start],
        re.I,
    ):
        return text[:end] + after.group(1) + _in_number(after.group(2), plural) + text[end + after.end() :]
    return text


def _in_number(verb: str, plural: bool) -> str:
    pairs = (("is", "are"), ("was", "were"), ("does", "do"), ("has", "have"))
    for singular, many in pairs:
        if verb.lower() in (singular, many):
            wanted = many if plural else singular
            return wanted.capitalize() if verb[0].isupper() else wanted
    return verb


def _repair_en(text: str, chosen: str) -> str:
    body = without_final_marks(text)
    for pattern, put in _EN_RULES:
        body = re.sub(pattern, lambda match, put=put: _unless_said(match, put, chosen), body, flags=re.IGNORECASE)  # type: ignore[misc]
    body = body.strip()
    ending = _EN_DANGLING.search(body)
    if ending and not without_final_marks(chosen).lower().endswith(ending.group().lower()):
        body = body[: ending.start()]
    body = re.sub(r"\b([Aa])n? (?=([A-Za-z]+))", lambda match: _article(match, chosen), body)
    if chosen[:1].isupper():
        body = body[:1].upper() + body[1:]
    return re.sub(
        r"([.?!]\s+)([a-z])",
        lambda match: match.group(1) + (match.group(2).upper() if _capitals(chosen) else match.group(2)),
        body,
    )


def _unless_said(match: re.Match[str], put: str, chosen: str) -> str:
    """What the rule puts there, unless the chosen rewrite says it just so."""
    odd = match.group()
    seen = match.string[match.start() : match.end() + 2].lower()
    return odd if len(seen.split()) > 1 and seen in chosen.lower() else match.expand(put)


def _capitals(chosen: str) -> bool:
    return not re.search(r"[.?!]\s+[a-z]", chosen)


def _article(match: re.Match[str], chosen: str) -> str:
    if match.group() + match.group(2) in chosen:
        return match.group()
    article = english.article_for(match.group(2))
    return (article.capitalize() if match.group(1) == "A" else article) + " "


def _repair_zh(text: str, chosen: str) -> str:
    body = without_final_marks(text)
    for pattern, put in _ZH_RULES:
        if pattern == _ZH_STRAY_DE and re.search(r"[在去从]的", chosen):
            continue
        body = re.sub(pattern, put, body)
    return body.strip()
