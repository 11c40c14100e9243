"""What surrounds an English noun phrase in its sentence, and what can stand in its place."""

# ruff: noqa: SIM905 - word lists are easier to read and to edit as text

from __future__ import annotations

import re
from dataclasses import dataclass

from pairwright.perturbers import english
from pairwright.perturbers.spans import Entity

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
_AFTER, _BEFORE = 50, 30
_PLACE_ATTRIBUTES = re.compile(r"\b(?:phone number|address|postcode|post code|price range|food type)\b", re.I)


@dataclass(frozen=True, slots=True)
class Frame:
    """A noun phrase in its sentence. Places are character offsets; ``phrase_start`` includes the determiner."""

    phrase_start: int
    start: int
    end: int
    determiner: str
    preposition: str
    preposition_start: int
    word_before_phrase: str
    word_two_before: str
    next_word: str
    after_possessive: int
    joined_before: bool
    joined_after: bool
    joiner_start: int
    joiner_end: int
    must_stay_listed: bool
    follows_name: bool
    continues_a_phrase: bool
    inside_name: bool
    after_adverb: bool
    next_is_nominal: bool

    @classmethod
    def around(cls, text: str, entity: Entity) -> Frame:
        """The frame of ``entity`` in ``text``."""
        tokens = english.tokenize(text)
        first = next(index for index, token in enumerate(tokens) if token.end > entity.start)
        last = max(index for index, token in enumerate(tokens) if token.start < entity.end)
        lead = first
        determiner = ""
        for back in (1, 2, 3):
            if lead >= back and tokens[lead - back].lower in english.DETERMINERS | {"what", "which", "whose"}:
                lead -= back
                determiner = tokens[lead].text
                break
            if lead < back or not english.is_adverb(tokens[lead - back].lower):
                break
        before = tokens[lead - 1] if lead else None
        two_before = tokens[lead - 2].lower if lead > 1 else ""
        after = tokens[last + 1] if last + 1 < len(tokens) else None
        after_two = tokens[last + 2] if last + 2 < len(tokens) else None
        preposition = before.lower if before and before.lower in english.PREPOSITIONS else ""
        joined_before = before is not None and (
            before.lower in ("and", "or") and two_before != "" and english.is_nominal(tokens, max(lead - 2, 0))
        )
        joiner = before.start if before and joined_before else 0
        if joined_before and lead > 2 and tokens[lead - 2].text == ",":
            joiner = tokens[lead - 2].start
        joined_after = (
            after is not None
            and after_two is not None
            and (after.lower in ("and", "or") or after.text == ",")
            and (after_two.lower in english.DETERMINERS or english.is_nominal(tokens, last + 2))
            and (after.text != "," or _list_goes_on(tokens, last + 2))
        )
        joiner_end = after_two.start if after_two else entity.end
        if (
            after is not None
            and after.text == ","
            and after_two is not None
            and after_two.lower in ("and", "or")
            and _list_goes_on(tokens, last + 2)
        ):
            joined_after, joiner_end = True, tokens[last + 3].start if last + 3 < len(tokens) else joiner_end
        if before is not None and before.text == "," and joined_after:
            joined_before, joiner = True, before.start
        return cls(
            phrase_start=tokens[lead].start,
            start=entity.start,
            end=entity.end,
            determiner=determiner,
            preposition=preposition,
            preposition_start=before.start if before and preposition else entity.start,
            word_before_phrase=before.lower if before else "",
            word_two_before=two_before,
            next_word=after.lower if after else "",
            after_possessive=after.end if after else entity.end,
            joined_before=joined_before,
            joined_after=joined_after,
            joiner_start=joiner,
            joiner_end=joiner_end,
            must_stay_listed=re.search(
                r"\b(?:between|both|either|neither|one of|among)\b[^?.!]*$", text[: entity.start], re.I
            )
            is not None,
            follows_name=before is not None and before.text[0].isupper() and lead > 1,
            after_adverb=before is not None
            and english.is_adverb(before.lower)
            and before.lower not in ("about", "now", "back", "out"),
            next_is_nominal=after is not None
            and english.is_nominal(tokens, last + 1)
            and not (before is not None and before.lower in english.AUXILIARIES),
            inside_name=preposition == "of" and lead > 1 and tokens[lead - 2].text[0].isupper(),
            continues_a_phrase=before is not None
            and before.is_word
            and not english.is_function_word(before.lower)
            and not english.is_verb(before.lower),
        )

    @property
    def is_listed(self) -> bool:
        """Whether the phrase is one of several that and, or or commas join (not after between, both or one of)."""
        return (self.joined_before or self.joined_after) and not self.must_stay_listed

    @property
    def is_held(self) -> bool:
        """Whether the phrase is one of several after between, both or one of: none of them can go."""
        return (self.joined_before or self.joined_after) and self.must_stay_listed

    @property
    def can_lose_its_preposition(self) -> bool:
        """Whether the sentence stands when preposition and phrase go: not when a form of be carries them."""
        return self.word_two_before not in english.WH | {
            "is",
            "are",
            "was",
            "were",
            "be",
            "",
        } and self.preposition not in ("than", "between", "as", "like")

    @property
    def runs_on(self) -> bool:
        """Whether a content word follows at once, so that the phrase may be larger than it was taken to be."""
        return self.next_word[:1].isalpha() and not english.is_function_word(self.next_word)

    @property
    def ends_clause(self) -> bool:
        """Whether nothing but punctuation or a new phrase follows."""
        return self.next_word in ("", "?", ".", "!", ",", "in", "on", "at", "for", "with", "please")

    @property
    def is_subject(self) -> bool:
        """Whether the phrase stands where a subject does: first, or right after an auxiliary, wh-word or conjunction."""
        before = self.word_before_phrase
        return (
            before == "" or not before[0].isalnum() or before in english.AUXILIARIES | english.CONJUNCTIONS | english.WH
        )


def _list_goes_on(tokens: tuple[english.Token, ...], start: int) -> bool:
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
