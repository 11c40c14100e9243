"""Chinese signals: references, questions without an owner, bare kinds of things, and what makes a query complete."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pairwright.core.language.entities import Mention, Token
from pairwright.core.language.lexicon import lexicon
from pairwright.core.language.zh import (
    ATTRIBUTES,
    GENERIC_NOUNS,
    analyse,
    is_question,
    is_request,
    mentions,
    references,
)
from pairwright.core.records import Turn
from pairwright.judges.gates.signal import Signal

_RELATIONAL = lexicon("zh", "relational")
_FILLER = (
    r"嗯+呢?|恩+|哦+|噢|喔|啊|哈+|好的?呢?吧?|行啊?吧?|可以的?啊?|对了?|是吗|是的|是啊|收到|没事呀?|(?:挺|非常|太|满|很|真)好(?:的?了?呀?啊?)|"
    r"谢谢您?你?啊?了?|多谢|感谢|不错|知道了|明白了?|真的吗?|这样啊|原来如此|OK|没问题|您好|你好|辛苦了?|麻烦您?了|不用了?|没有了|没了|"
    r"再见|拜拜|不客气|晚安|就这样吧?|就这些了?|我?记下了|那好吧?|感激不尽|太感谢了?|帮大忙了?|我?(?:暂时)?没有?(?:什么)?(?:其他|其它|别的)?(?:问题|需要|事)了"
)
_OPENING = re.compile(rf"^(?:(?:{_FILLER})[，,。！!、\s~～…]+)+", re.IGNORECASE)
_COURTESY = re.compile(rf"^(?:(?:{_FILLER}|[吧呀啦哇嘿哎的了啊])[，,。！!、\s~～…]*)+$", re.IGNORECASE)
_CLAUSE = re.compile(r"[^，,。！!？?；;]+[，,。！!？?；;]*")
_POINTING = re.compile(
    r"第[一二三四五六七八九十\d]+[个家部首本条种位款项]|前者|后者|前[一二两三][个家部]|上面|上述|刚才|刚刚|之前(?=说|提|推荐)|"
    r"你(?:刚)?(?:说|推荐|提到?|介绍)(?:的|过)|(?<![第十])[两俩]个?[家者部首位]?(?:哪|都|之间|相比)|其中|[几这那]个?[家部]?里(?:面)?(?:哪|谁|有)"
)
_OTHER = re.compile(
    r"别的|其他|其它|另外[的一]|换[一个]|再(?:推荐|来|找|换|说)|除此之外|还有(?:没有|吗|呢|什么|哪些|啥|谁)|一样|同样"
)
_COMPARED = re.compile(
    r"更[\u4e00-\u9fff]|(?:便宜|贵|近|远|大|小|好|高|低|早|晚|快|慢)(?:一?点|一些)|哪[个家部位]?(?:比较|更|最)"
)
_INDEFINITE = re.compile(
    r"(?<![这那哪同])[一几某](?:家|个|所|座|部|首|本|处|款|位|间|种|些)|(?:推荐|介绍|找|来|订|查)(?:个|家|些|点)(?!人)"
)
_NO_NAME = re.compile(r"(?:ok|wifi|app|vip|tv|hi|hello|bye)", re.IGNORECASE)  # Latin words that taggers take for names
_NEAR = frozenset({"周边", "附近", "周围", "旁边", "边上", "对面"})
_BEFORE_BARE = frozenset(
    {"那", "到", "从", "去", "在", "离", "这", "请问", "给我", "知道", "那么", "和", "跟", "把", "告诉", "我"}
)
_OPENERS = frozenset(
    {
        "是",
        "有",
        "在",
        "能",
        "会",
        "要",
        "还",
        "也",
        "都",
        "为什么",
        "为啥",
        "怎么",
        "怎么样",
        "什么",
        "哪",
        "多少",
        "几点",
        "多大",
        "谁",
    }
)


class _Query(NamedTuple):
    text: str
    body: str
    places: tuple[tuple[int, int], ...]
    tokens: tuple[Token, ...]
    history: str

    def matters(self, start: int) -> bool:
        return any(first <= start < last for first, last in self.places)


def signals(query: str, history: Sequence[Turn]) -> Iterator[Signal]:
    """Every signal of the query; a name may come more than once."""
    seen = _read(query.strip(), history)
    if _COURTESY.match(seen.text):
        yield Signal("courtesy", query)
    elif not is_question(seen.text) and not is_request(seen.text):
        yield Signal("statement", query)
    yield from _references(seen)
    for name, pattern in (("pointing", _POINTING), ("other", _OTHER), ("comparative", _COMPARED)):
        if match := pattern.search(seen.body):
            yield Signal(name, match.group())
    if is_request(seen.text) and (match := _INDEFINITE.search(seen.body)) and _names_a_kind(seen.body[match.end() :]):
        yield Signal("request", match.group())
    yield from _shape(seen)
    yield from _owners(seen)


def _names_a_kind(rest: str) -> bool:
    """False for 再来一个吧: a request that says of what has two characters more."""
    return len(re.sub(r"[吧呢吗啊呀了的\W]", "", rest)) >= 2


def _references(seen: _Query) -> Iterator[Signal]:
    """References that the query leaves open; in 这个西藏大厦 the name follows at once."""
    names = {one.start for one in mentions(seen.text) if one.kind == "entity" and one.text not in GENERIC_NOUNS}
    for reference in references(seen.text):
        if reference.kind == "ellipsis":
            yield Signal("ellipsis", reference.text)
        elif reference.end not in names or reference.kind == "pronoun":
            yield Signal("reference", reference.text)


def _read(text: str, history: Sequence[Turn]) -> _Query:
    clauses = [match.span() for match in _CLAUSE.finditer(text)]
    asking = [(start, end) for start, end in clauses if is_question(text[start:end]) or is_request(text[start:end])]
    opening = _OPENING.match(text)
    return _Query(
        text,
        text[opening.end() :] if opening else text,
        tuple(asking or clauses),
        analyse(text),
        "\n".join(turn.content for turn in history),
    )


def _shape(seen: _Query) -> Iterator[Signal]:
    length = sum(map(str.isalnum, seen.body))
    if length <= 8:
        yield Signal("short4" if length <= 4 else "short8", seen.body)
    elif length >= 20:
        yield Signal("long", seen.body)
    opening = len(seen.text) - len(seen.body)
    first = next((token for token in seen.tokens if token.start >= opening), None)
    if first is not None and (first.tag in {"v", "vd", "d", "a"} or first.text in _OPENERS):
        yield Signal("predicate_first", first.text)
    if re.match(r"那(?![里边儿个家些种位部首])", seen.body):
        yield Signal("then", "那")


def _owners(seen: _Query) -> Iterator[Signal]:
    """Names and nouns that a question can be about, and attributes and kinds of things that lack one."""
    found = [one for one in mentions(seen.text) if one.text not in GENERIC_NOUNS and one.text not in ATTRIBUTES]
    names = [one for one in found if one.kind == "entity" and not _NO_NAME.fullmatch(one.text)]
    nouns = [one for one in found if one.kind == "noun" and one.text not in _RELATIONAL]
    yield from _named(seen, names)
    if nouns:
        yield Signal("noun_known" if any(one.text in seen.history for one in nouns) else "noun", nouns[0].text)
    if not names and not nouns:
        yield Signal("no_noun", seen.body)
    attribute = next((one for one in seen.tokens if _of_something(one) and seen.matters(one.start)), None)
    if attribute is not None and not names and not nouns:
        yield Signal("unowned", attribute.text)
    near = next((token for token in seen.tokens if token.text in _NEAR), None)
    if near is not None and not any(name.end <= near.start for name in names):
        yield Signal("near_nothing", near.text)
    for before, token in zip((None, *seen.tokens), seen.tokens, strict=False):
        if token.text in GENERIC_NOUNS and (before is None or before.tag == "w" or before.text in _BEFORE_BARE):
            yield Signal("bare_class", token.text)


def _of_something(token: Token) -> bool:
    return token.text in _RELATIONAL or (token.text in ATTRIBUTES and len(token.text) > 1)


def _named(seen: _Query, names: Sequence[Mention]) -> Iterator[Signal]:
    if not names:
        yield Signal("no_name", seen.body)
        return
    known = next((name for name in names if name.text in seen.history), None)
    open_references = any(True for _ in _references(seen))
    yield Signal("name_beside" if open_references else "name", names[0].text)
    if known is not None:
        yield Signal("name_known", known.text)
    if asked := next((name for name in names if seen.matters(name.start)), None):
        yield Signal("name_asked", asked.text)
