"""What surrounds an English noun phrase in its sentence, and what can stand in its place."""

# ruff: noqa: SIM905 - word lists are easier to read and to edit as text

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from pairwright.perturbers.text import english
from pairwright.perturbers.text.spans import Entity

HEADS = frozenset(
    "disease syndrome theory movement experiment film movie book novel series hotel restaurant bar cafe pub "
    "college university school company museum park river lake city country island festival battle war treaty law "
    "act party team band song album game phone car truck plane train airport station bridge church diet method "
    "technique plan program project system language religion animal dog cat breed plant flower tree fruit dish "
    "sauce drink wine beer festival day award awards treatment therapy vitamin drug medicine virus cancer virus "
    "rule principle effect machine engine museum".split()
)
_NAME_ARTICLES = frozenset("la le el da de los les il al san saint st".split())
NO_HEADS = frozenset(
    "part side kind kinds type types sort area term number range price address postcode code phone one two three "
    "four five six seven way ways amount lot way thing things tasca town".split()
)
_ABSTRACT = (
    "ment",
    "tion",
    "sion",
    "ism",
    "ness",
    "ing",
    "ity",
    "ance",
    "ence",
    "ology",
    "ics",
    "cer",
    "food",
    "power",
    "energy",
)
_DIRECTION = re.compile(
    r"^(?:north|south|east|west|centre|center)(?: part| side)?$|\b(?:part|side|area) of (?:the )?(?:town|city)$", re.I
)
_AFTER, _BEFORE = 50, 30  # characters beside a mention that may say what it is
_PLACE_ATTRIBUTES = re.compile(r"\b(?:phone number|address|postcode|post code|price range|food type)\b", re.I)


@dataclass(frozen=True)
class Frame:
    """A noun phrase in its sentence: ``tokens[lead]`` is its determiner or first word, ``tokens[last]`` its last one.

    Places are character offsets into the sentence.
    """

    tokens: tuple[english.EnglishToken, ...]
    lead: int
    last: int
    start: int
    end: int
    determiner: str

    @classmethod
    def around(cls, text: str, entity: Entity) -> Frame:
        """The frame of ``entity`` in ``text``. Up to two adverbs may stand between determiner and phrase."""
        tokens = english.tokenize(text)
        lead = next(index for index, token in enumerate(tokens) if token.end > entity.start)
        last = max(index for index, token in enumerate(tokens) if token.start < entity.end)
        for back in (1, 2, 3):
            if lead >= back and tokens[lead - back].lower in english.DETERMINERS | {"what", "which", "whose"}:
                return cls(tokens, lead - back, last, entity.start, entity.end, tokens[lead - back].text)
            if lead < back or not english.is_adverb(tokens[lead - back].lower):
                break
        return cls(tokens, lead, last, entity.start, entity.end, "")

    def _word(self, index: int) -> str:
        return self.tokens[index].lower if 0 <= index < len(self.tokens) else ""

    @property
    def phrase_start(self) -> int:
        """Where the phrase begins, its determiner included."""
        return self.tokens[self.lead].start

    @property
    def word_before_phrase(self) -> str:
        """The word or mark before the determiner."""
        return self._word(self.lead - 1)

    @property
    def word_two_before(self) -> str:
        """The word or mark before that."""
        return self._word(self.lead - 2)

    @property
    def next_word(self) -> str:
        """The word or mark after the phrase."""
        return self._word(self.last + 1)

    @property
    def preposition(self) -> str:
        """The preposition that governs the phrase; empty without one."""
        return self.word_before_phrase if self.word_before_phrase in english.PREPOSITIONS else ""

    @property
    def preposition_start(self) -> int:
        """Where the preposition begins, or the phrase's core without one."""
        return self.tokens[self.lead - 1].start if self.preposition else self.start

    @property
    def after_possessive(self) -> int:
        """Where the text goes on after the token that follows: a possessive 's."""
        return self.tokens[self.last + 1].end if self.last + 1 < len(self.tokens) else self.end

    @cached_property
    def joined_after(self) -> bool:
        """Whether and, or or a comma of a list joins another phrase after this one."""
        if self.next_word not in ("and", "or", ",") or self.last + 2 >= len(self.tokens):
            return False
        following = self._word(self.last + 2)
        if self.next_word == "," and not _list_goes_on(self.tokens, self.last + 2):
            return False
        opens = following in english.DETERMINERS or english.is_nominal(self.tokens, self.last + 2)
        return opens or (self.next_word == "," and following in ("and", "or"))

    @cached_property
    def joined_before(self) -> bool:
        """Whether and, or or a comma of a list joins this phrase to one before it."""
        if self.word_before_phrase == ",":
            return self.joined_after
        joins = self.word_before_phrase in ("and", "or") and self.word_two_before != ""
        return joins and english.is_nominal(self.tokens, max(self.lead - 2, 0))

    @property
    def joiner_start(self) -> int:
        """Where the and, or or comma before the phrase begins, with the comma before an and."""
        comma = self.lead > 2 and self.word_two_before == ","
        return self.tokens[self.lead - (2 if comma else 1)].start

    @property
    def joiner_end(self) -> int:
        """Where the next phrase of the list begins."""
        both = self.next_word == "," and self._word(self.last + 2) in ("and", "or")
        place = self.last + (3 if both else 2)
        return self.tokens[place].start if place < len(self.tokens) else self.end

    @property
    def must_stay_listed(self) -> bool:
        """Whether between, both, either, one of … before it in the sentence needs more than one phrase."""
        for token in reversed(self.tokens[: self.lead]):
            if token.text in ".?!":
                return False
            if token.lower in ("between", "both", "either", "neither", "among"):
                return True
        return self.word_before_phrase == "of" and self.word_two_before == "one"

    @property
    def is_listed(self) -> bool:
        """Whether the phrase is one of several, any of which can go."""
        return (self.joined_before or self.joined_after) and not self.must_stay_listed

    @property
    def is_held(self) -> bool:
        """Whether the phrase is one of several, none of which can go."""
        return (self.joined_before or self.joined_after) and self.must_stay_listed

    @property
    def can_lose_its_preposition(self) -> bool:
        """Whether the sentence stands when preposition and phrase go: not when a form of be carries them."""
        carried = self.word_two_before in english.WH | {"is", "are", "was", "were", "be", ""}
        sought = self.preposition == "for" and self.word_two_before in ("look", "looking", "search", "searching", "ask")
        return not carried and not sought and self.preposition not in ("than", "between", "as", "like")

    @property
    def runs_on(self) -> bool:
        """Whether a content word follows at once, so that the phrase may be larger than it was taken to be."""
        return self.next_word[:1].isalpha() and not english.is_function_word(self.next_word)

    @property
    def next_is_nominal(self) -> bool:
        """Whether the phrase stands before a noun (not before the predicate of a question)."""
        if self.last + 1 >= len(self.tokens) or self.word_before_phrase in english.AUXILIARIES:
            return False
        return english.is_nominal(self.tokens, self.last + 1)

    @property
    def ends_clause(self) -> bool:
        """Whether nothing but punctuation or a new phrase follows."""
        return self.next_word in ("", "?", ".", "!", ",", "in", "on", "at", "for", "with", "please")

    @property
    def is_subject(self) -> bool:
        """Whether the phrase stands where a subject does: first, or right after an auxiliary, wh-word or conjunction."""
        before = self.word_before_phrase
        return not before[:1].isalnum() or before in english.AUXILIARIES | english.CONJUNCTIONS | english.WH

    @property
    def follows_name(self) -> bool:
        """Whether a word with a capital stands right before it: Tesla the car company."""
        return self.lead > 1 and self.tokens[self.lead - 1].text[0].isupper()

    @property
    def inside_name(self) -> bool:
        """Whether ``of`` ties it to a name: University of Toronto."""
        return self.preposition == "of" and self.lead > 1 and self.tokens[self.lead - 2].text[0].isupper()

    @property
    def after_adverb(self) -> bool:
        """Whether an adverb or a light adjective stands right before it."""
        before = self.word_before_phrase
        return english.is_adverb(before) and before not in ("about", "now", "back", "out")

    @property
    def continues_a_phrase(self) -> bool:
        """Whether another content word stands right before it: a refurbished iPhone."""
        before = self.word_before_phrase
        return before[:1].isalnum() and not english.is_function_word(before) and not english.is_verb(before)


def _list_goes_on(tokens: tuple[english.EnglishToken, ...], start: int) -> bool:
    """Whether an ``and``/``or`` closes a list that begins here: not a comma between clauses."""
    for index in range(start, min(start + 60, len(tokens))):
        word = tokens[index].lower
        if word in ("and", "or"):
            return True
        if word in english.AUXILIARIES or word in ".?!" or word in english.WH:
            return False
    return False


def generic_head(phrase: str, bare: bool = False) -> str:
    """The common noun at the end of a name of several words, in lower case; empty when there is none.

    Milgram experiment → experiment; Lyme Disease → disease; Hotel Navona, blockchain → nothing. ``bare`` says that
    the phrase has no determiner: then a singular noun may be a name in small letters (pizza hut cherry hinton), and
    only known nouns count.
    """
    words = re.split(r"\s+(?:of|in|for|on|at|from|and)\s+", phrase)[0].split()
    if len(words) < 2 or "'" in words[-1] or not words[-1].isalpha() or words[0].lower() in _NAME_ARTICLES:
        return ""
    head = words[-1]
    known = head.lower() in HEADS or head.lower().removesuffix("s") in HEADS
    if head.lower() in NO_HEADS or not (known or head.islower()):
        return ""
    if known:
        return head.lower()
    if len(head) < 3 or english.is_function_word(head) or english.is_verb(head):
        return ""
    return head if not bare or english.is_plural(head) or head.endswith(_ABSTRACT) else ""


def kind_of(phrase: str, dialogue: str, bare: bool = False, sentence: str = "") -> str:
    """A common noun for what the phrase names: its own head, or what the dialogue says that it is.

    Nandos is a nice restaurant → restaurant; the film Contagion → film. Empty when nothing tells.
    """
    if _DIRECTION.search(phrase):
        return "area"
    head = generic_head(phrase, bare)
    if head:
        return head
    low, wanted = dialogue.lower(), phrase.lower()
    if _PLACE_ATTRIBUTES.search(phrase):
        return ""
    for match in re.finditer(re.escape(wanted), low):
        after = re.match(
            r"\W{0,2}(?:is|was|are|were)\s+(?:an?|the|one of the)\s+([\w-]+(?:\s+[\w-]+){0,3})",
            low[match.end() : match.end() + _AFTER],
        )
        before = re.search(
            r"(\w+)(?:\s+(?:called|named|of))?\W{1,3}$", low[max(0, match.start() - _BEFORE) : match.start()]
        )
        said = (after.group(1).split() if after else []) + ([before.group(1)] if before else [])
        for word in said:
            if word.strip(",;:") in HEADS:
                return word.strip(",;:")
    if _PLACE_ATTRIBUTES.search(sentence) and "restaurant" in low:
        return "restaurant"
    return ""
