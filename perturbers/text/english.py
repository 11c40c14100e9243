"""English phrases without a parser: closed word classes find where a noun phrase starts and ends.

The classes are small on purpose. A query is short, and nearly every word in it that is not on a list below belongs
to a noun phrase; what the lists miss is caught by the verifiers, which look at the finished text.
"""

# ruff: noqa: SIM905 - word lists are easier to read and to edit as text

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

DETERMINERS = frozenset(
    "a an the this that these those my your his her its our their some any no each every all both either neither another".split()
)
ARTICLES = frozenset(("a", "an", "the"))
PREPOSITIONS = frozenset(
    "of in on at for with from to about by into during before after between against under over near around "
    "through within without like than as per among across behind beside besides despite toward towards via versus "
    "vs since until till along including concerning regarding following outside inside upon beyond".split()
)
CONJUNCTIONS = frozenset("and or but nor so yet because if when while although though whereas unless".split())
PRONOUNS = frozenset(
    "i you he she it we they me him us them myself yourself himself herself itself ourselves themselves mine "
    "yours hers ours theirs one ones something anything nothing everything someone anyone everyone there here".split()
)
WH = frozenset(["what", "which", "who", "whom", "whose", "when", "where", "why", "how"])
AUXILIARIES = frozenset(
    "is are was were be been being am do does did done has have had having can could will would shall should may "
    "might must ain't isn't aren't wasn't weren't don't doesn't didn't hasn't haven't hadn't can't couldn't won't "
    "wouldn't shouldn't let let's goodbye bye i'm i've i'll i'd you're you've you'll it's that's there's we're they're we've".split()
)
ADVERBS = frozenset(
    "not also too very more most less least much many few just only even still again ever never always often "
    "usually sometimes now then today please thanks thank ok okay yes yeah no hi hello wow hmm oh well great "
    "really quite rather actually currently recently else instead together apart away back up down out off n't "
    "however so such same specific priced free particular certain various several other different similar better "
    "best worse worst good bad able available likely safe possible important necessary sure interesting famous "
    "popular common main available first last second third next other others long far old big large small high "
    "low late early soon exactly naturally generally specifically especially probably maybe perhaps already "
    "almost enough about close there".split()
)
VERBS = frozenset(
    "accept add affect allow appear apply argue arrive ask attack avoid become beep begin believe bring build buy call "
    "care cause celebrate change choose come compare consider consist contain continue cook cost cover create "
    "cure deal decide describe develop die dine discover do drink drive eat elaborate end evolve exist expect "
    "explain explore fall feel find fix follow form get give go grow happen have hear help hold improve include "
    "increase invest invent keep kill know lead learn leave let lie like live locate look lose love make mean meet "
    "mention milk move need offer open order own pair pay perform pick play prefer prepare prevent produce "
    "provide put raise reach read receive recommend reduce relate release remain remember remove run saute say search "
    "see seem sell send serve set share show smoke solve sound speak spend spread stand start stay stop store "
    "study suggest support take taste teach tell think travel treat try turn understand use visit vote wait walk "
    "want watch win wonder work write".split()
)
_IRREGULAR = frozenset(
    "became began brought built bought came chose did drank drove ate fell felt found got gave gone went grew "
    "heard held kept knew known led left lay lost made meant met paid read said saw seen sent sold showed shown "
    "spent spoke stood took taken taught told thought tried understood wore won wrote written given eaten driven "
    "chosen".split()
)
_INTRANSITIVE = frozenset("cook eat learn read study drink drive attack invest travel play write pay order".split())
PLURAL_NAMES = frozenset(
    "awards games wars islands mountains states nations olympics oscars emirates goats dogs cats electors "
    "avengers beatles".split()
)
_MASS_ENDINGS = ("ism", "ness", "ing", "ics", "ology", "phy")
_SINGULAR_S = (
    "ss",
    "us",
    "is",
    "ous",
    "physics",
    "politics",
    "economics",
    "mathematics",
    "athletics",
    "genetics",
    "news",
    "series",
)
_WORD = re.compile(r"\b(?:St|Mr|Mrs|Ms|Dr|Jr|Mt)\.|[^\W_]+(?:[-.’'][^\W_]+)*|[’']s\b|\S", re.UNICODE)
_POSSESSIVE = re.compile(r"^(.+?)([’']s)$")


@dataclass(frozen=True, slots=True)
class EnglishToken:
    """A word or a mark with its place in the text."""

    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        return self.text.lower().replace("’", "'")

    @property
    def is_word(self) -> bool:
        return self.text[0].isalnum()


def tokenize(text: str) -> tuple[EnglishToken, ...]:
    """Words and marks in order; a possessive 's is a token of its own."""
    found: list[EnglishToken] = []
    for match in _WORD.finditer(text):
        word, start = match.group(), match.start()
        split = _POSSESSIVE.match(word)
        if split:
            middle = start + len(split.group(1))
            found += [EnglishToken(split.group(1), start, middle), EnglishToken(split.group(2), middle, match.end())]
        else:
            found.append(EnglishToken(word, start, match.end()))
    return tuple(found)


@lru_cache(maxsize=8192)
def is_verb(word: str) -> bool:
    """Whether a form of a listed verb: cooks, cooked, cooking."""
    if word in VERBS or word in _IRREGULAR:
        return True
    for ending, back in (
        ("ies", "y"),
        ("ied", "y"),
        ("es", ""),
        ("es", "e"),
        ("s", ""),
        ("ed", ""),
        ("ed", "e"),
        ("ing", ""),
        ("ing", "e"),
    ):
        stem = word.removesuffix(ending)
        if stem != word and stem and (stem + back in VERBS or (stem[-1:] == stem[-2:-1] and stem[:-1] in VERBS)):
            return True
    return False


def is_predicate(word: str) -> bool:
    """Whether the ending is that of an adjective that seldom is a noun."""
    return (
        word.islower()
        and len(word) > 5
        and word.endswith(("ive", "able", "ible", "ful", "ous", "less"))
        and word not in ("executive", "vegetable", "additive", "alternative")
    )


def can_stand_alone(verb: str) -> bool:
    """Whether the verb still makes a sentence when its object is taken away."""
    return verb in _INTRANSITIVE


def is_adverb(word: str) -> bool:
    """Whether an adverb or one of the adjectives that say nothing of their own (other, best, large)."""
    return word in ADVERBS or (word.endswith("ly") and len(word) > 4)


@lru_cache(maxsize=8192)
def is_function_word(word: str) -> bool:
    """Whether a word of a closed class, or an adverb: it never belongs to an entity's core."""
    return (
        word in DETERMINERS
        or word in PREPOSITIONS
        or word in CONJUNCTIONS
        or word in PRONOUNS
        or word in WH
        or word in AUXILIARIES
        or is_adverb(word)
    )


@lru_cache(maxsize=8192)
def is_closed_class(word: str) -> bool:
    """Whether a determiner, preposition, pronoun, conjunction, question word or auxiliary."""
    return (
        word in DETERMINERS
        or word in PREPOSITIONS
        or word in CONJUNCTIONS
        or word in PRONOUNS
        or word in WH
        or word in AUXILIARIES
    )


def is_nominal(tokens: tuple[EnglishToken, ...], index: int) -> bool:
    """Whether the token can be part of a noun phrase's core, seen with the word before it."""
    token = tokens[index]
    if not token.is_word:
        return False
    capital = token.text[0].isupper() and index > 0 and tokens[index - 1].text not in ".?!"
    shouted = token.text.isupper() and len(token.text) > 1 and is_function_word(token.lower)
    if capital and not shouted and token.lower not in PRONOUNS | AUXILIARIES | WH | DETERMINERS:
        return True
    if is_function_word(token.lower):
        return False
    if not is_verb(token.lower):
        return True
    before = tokens[index - 1].lower if index else ""
    if _governed(tokens, index):
        return True
    if token.lower.endswith("ing") and index + 1 < len(tokens) and is_nominal(tokens, index + 1):
        return False
    return before in DETERMINERS - {"that"} or before in PREPOSITIONS - {"to"} or before in ("'s", "’s")


def _governed(tokens: tuple[EnglishToken, ...], index: int) -> bool:
    """Whether a word that could be a verb ends a phrase that a preposition opened: for energy drinks."""
    if not tokens[index].lower.endswith("s"):
        return False
    start = index - 1
    while start >= 0 and _is_plain(tokens[start]):
        start -= 1
    if start >= 0 and tokens[start].lower in DETERMINERS:
        start -= 1
    return 0 <= start < index - 1 and tokens[start].lower in PREPOSITIONS - {"to"}


def _is_plain(token: EnglishToken) -> bool:
    return token.is_word and token.text.islower() and not is_function_word(token.lower) and not is_verb(token.lower)


def is_plural(phrase: str) -> bool:
    """Whether a noun phrase takes a plural verb: coordinated, or its last word ends like a plural."""
    words = phrase.lower().split()
    if not words:
        return False
    if "and" in words:
        return True
    if "of" in words[1:-1] and words[words.index("of") - 1] not in (
        "lot",
        "lots",
        "number",
        "couple",
        "variety",
        "kind",
        "type",
    ):
        return is_plural(" ".join(phrase.split()[: words.index("of")]))
    last = re.sub(r"\W+$", "", words[-1])
    if phrase.split()[-1][:1].isupper() and last not in PLURAL_NAMES:
        return re.fullmatch(r"[A-Z]{2,}s", phrase.split()[-1]) is not None
    if last in ("people", "children", "men", "women", "police", "feet", "teeth", "mice"):
        return True
    return last.endswith("s") and not last.endswith(_SINGULAR_S) and len(last) > 3


def is_mass(phrase: str) -> bool:
    """Whether the phrase reads like a mass noun or an abstract name (no article, singular)."""
    words = phrase.split()
    return bool(words) and not is_plural(phrase) and words[-1].lower().endswith(_MASS_ENDINGS)


def article_for(word: str) -> str:
    """``an`` before a vowel sound, else ``a``."""
    lowered = word.lower()
    if re.match(r"(?:uni|use|usu|eur|one\b|ubi|u[.-])", lowered):
        return "a"
    if re.match(r"(?:hour|honest|heir|honou?r)", lowered) or (
        # Letters whose names begin with a vowel: an FBI agent.
        word.isupper() and len(word) > 1 and word[0] in "AEFHILMNORSX"
    ):
        return "an"
    return "an" if lowered[:1] in tuple("aeiou") else "a"


def uncapitalised(sentence: str) -> str:
    """The sentence as it goes on after a comma or colon: a name at its start, and I, keep their capital."""
    asks = sentence.split(" ")[0].lower() in WH | AUXILIARIES - {"i'm", "i've", "i'll", "i'd"}
    # Not the I of "Should I", which makes no name.
    named = re.match(r"I\b|[A-Z][A-Z]|[A-Z]\w+ [A-HJ-Z]", sentence)
    return sentence if named and not asks else sentence[:1].lower() + sentence[1:]
