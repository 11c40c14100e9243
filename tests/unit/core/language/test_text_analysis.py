"""Both languages behind one interface: what is found, what is left alone, and that no text can break it."""

from __future__ import annotations

import re
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.language.text_analysis import (
    content_words,
    detect_language,
    en,
    en_references,
    estimate_tokens,
    gap,
    is_question,
    is_request,
    mentions,
    mentions_many,
    normalise,
    providers,
    references,
    restored,
    supported,
    unowned,
    words,
    zh,
)
from pairwright.core.memo import memoised
from pairwright.core.records import Language

texts = st.lists(
    st.one_of(
        st.text(max_size=6),
        st.sampled_from(
            [
                "它",
                "《",
                "》",
                "讲礼驴肉馆",
                "呢？",
                "那",
                "这家",
                "12:30",
                "it ",
                "What about ",
                "’s",
                "\ud800",
                "\x00",
                "😀",
                "的",
                "(",
                "）",
                "\n",
            ]
        ),
    ),
    max_size=8,
).map("".join)


def found(text: str, language: Language, *kinds: str) -> list[str]:
    return [mention.text for mention in mentions(text, language) if mention.kind in (kinds or ("entity",))]


def pointed(text: str, language: Language) -> list[str]:
    return [reference.text for reference in references(text, language)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("你好吗", "zh"),
        ("iPhone 15 的价格是多少", "zh"),
        ("What is 北京?", "en"),
        ("", "en"),
        ("12345", "en"),
        ("北京 hi", "zh"),
        ("好 hi", "en"),
    ],
)
def test_language_follows_the_share_of_the_script(text: str, language: Language) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What's it?", "whats it"),
        ("它的电话是多少？", "它的电话 是多少"),
        ("ＡＢＣ　酒店", "abc酒店"),
        ("U.S. history", "us history"),
        ("1,000 people", "1000 people!"),
        ("state-of-the-art", "state of the art"),
    ],
)
def test_form_does_not_count_after_normalisation(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_words_of_latin_script_stay_apart_after_normalisation() -> None:
    assert normalise("part y") != normalise("party")
    assert normalise("4.5 stars") != normalise("45 stars")


@pytest.mark.parametrize(
    ("one", "other"), [("2.5 km", "25 km"), ("２.５公里", "25公里"), ("评分4.5", "评分45"), ("1,000.5", "10005")]
)
def test_the_point_of_a_decimal_is_never_lost(one: str, other: str) -> None:
    assert normalise(one).replace(" ", "") != normalise(other).replace(" ", "")
    assert not supported(one, [other])
    assert not supported(other, [one])


def test_a_number_is_not_supported_by_a_part_of_a_decimal() -> None:
    assert not supported("5 km", ["it is 2.5 km away"])
    assert not supported("评分4", ["它的评分4.5分"])
    assert supported("2.5", ["about 2.5 km away."])
    assert supported("4.5分", ["它的评分是4.5分。"])
    assert supported("5 km", ["It is 5 km. Then turn left."])


def test_token_estimate_grows_with_each_kind_of_text() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("a") == 1
    assert 6 <= estimate_tokens("推荐一家评分高的餐馆") <= 10
    assert 8 <= estimate_tokens("How long does it take to fly to Mars?") <= 14
    assert estimate_tokens("010-63553377") >= 10


@given(
    st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("aZ 中文０٣²é\u3000\x1c\u200b😀\n"), max_size=60)
)
def test_estimated_tokens_are_the_sum_over_the_pieces(text: str) -> None:
    total = 0.0
    for piece in re.findall(r"[A-Za-z]+|\d+|[^\sA-Za-z\d]", text):
        han = re.match(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]", piece)
        total += 0.67 if han else 1.1 if piece.isascii() and piece.isalpha() else len(piece)
    assert estimate_tokens(text) == (max(1, round(total)) if text else 0)


def test_words_leave_out_punctuation_and_content_words_leave_out_function_words() -> None:
    assert words("Where is it, exactly?", "en") == ("Where", "is", "it", "exactly")
    assert content_words("What are the symptoms of throat cancer?", "en") == ("symptom", "throat", "cancer")
    assert content_words("它的电话是多少？", "zh") == ("电话",)


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("推荐您去人均消费68元的讲礼驴肉馆用餐。", ["讲礼驴肉馆"]),
        ("对百雅轩798艺术中心有了解吗？", ["百雅轩798艺术中心"]),
        ("你看过《泰坦尼克号》吗", ["《泰坦尼克号》"]),
        ("推荐您去八达岭长城游玩。", ["八达岭长城"]),
        ("聚宝源(牛街总店)吧", ["聚宝源(牛街总店)"]),
        ("它的电话、门票和评分是多少？", []),
        ("我想找个便宜的酒店", []),
    ],
)
def test_chinese_names_are_put_together_and_attributes_are_no_entities(text: str, entities: list[str]) -> None:
    assert found(text, "zh") == entities


def test_english_names_lose_articles_and_possessives() -> None:
    assert "Bronze Age" in found("Tell me about the Bronze Age collapse.", "en")[0]
    assert found("Did Ben Franklin's kite fly?", "en")[0].startswith("Ben Franklin")
    assert found("What are the symptoms of lung cancer?", "en", "noun") == ["symptoms", "lung cancer"]


def test_numbers_and_times_are_mentions_of_their_own_kind() -> None:
    assert found("评分4.5分以上，9:00-16:00开放，电话010-63553377", "zh", "number", "time") == [
        "4.5分以上",
        "9:00-16:00",
        "010-63553377",
    ]
    assert "1998" in found("Who won in 1998?", "en", "time", "number")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_mentions_in_batches_are_the_same_as_one_by_one(language: Language) -> None:
    batch = ["What is Tesla?", "讲礼驴肉馆在哪？", "", "Who is Ada Lindqvist of Turku?", "What is Tesla?"]
    assert mentions_many(batch, language) == [mentions(text, language) for text in batch]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("它的电话是多少？", ["它"]),
        ("这家酒店有健身房吗", ["这家"]),
        ("他家周边有什么景点吗？", ["他"]),
        ("那里几点开门？", ["那里"]),
        ("该景点几点开门", ["该"]),
        ("那天坛呢？", ["呢"]),
        ("该怎么走", []),
        ("其他的酒店有哪些", []),
        ("哪个更便宜？", []),
        ("那么你喜欢谁？", []),
        ("为什么呢？", []),
        ("三里屯在哪儿呢？", []),
        ("那天坛的门票多少钱", []),
        ("香水这部影片的编剧是谁？", []),
        ("《H3M》这张专辑是什么时候发行的？", []),
        ("如果去八达岭长城，它的门票多少钱", []),
    ],
)
def test_chinese_references_are_told_from_discourse_words(text: str, expected: list[str]) -> None:
    assert pointed(text, "zh") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is its future?", ["its"]),
        ("What do scientists say about it?", ["it"]),
        ("What is the evidence for that?", ["that"]),
        ("How do I get there?", ["there"]),
        ("Which of these drugs are safe?", ["these"]),
        ("What about in the US?", ["What about"]),
        ("Tell me more about the cheaper one.", ["one"]),
        ("Are there foods that are good for it?", ["it"]),
        ("How long does it take to fly to Mars?", []),
        ("Is it raining?", []),
        ("Is there a cheap restaurant in the south?", []),
        ("Why did the Beatles break up and when did they reunite?", []),
        ("Does the cat like its food?", []),
        ("I like that it is cheap. What is the price of tea?", []),
        ("That sounds great! What is the address of Curry Prince?", []),
        ("That is all. Thank you.", []),
        ("What are the symptoms that you know of?", []),
        ("Was that the best film this year?", ["that"]),
    ],
)
def test_english_references_are_told_from_expletives_conjunctions_and_comments(text: str, expected: list[str]) -> None:
    assert pointed(text, "en") == expected


@pytest.mark.parametrize(
    ("query", "rewrite", "language", "expected"),
    [
        ("What is its future?", "What is Cubesats' future?", "en", ("Cubesats",)),
        ("What are the symptoms?", "What are the symptoms of lung cancer?", "en", ("lung cancer",)),
        ("它的电话？", "讲礼驴肉馆的电话？", "zh", ("讲礼驴肉馆",)),
        ("那北海的天气呢", "北京的天气怎么样", "zh", ("北京",)),
        ("What is taurine?", "what is Taurine", "en", ()),
        ("天坛在哪里？", "请问天坛在哪里呢", "zh", ()),
    ],
)
def test_restored_is_what_the_rewrite_adds(
    query: str, rewrite: str, language: Language, expected: tuple[str, ...]
) -> None:
    assert restored(query, rewrite, language) == expected


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ("batteries", "How long does a battery last?"),
        ("three", "There are 3 of them."),
        ("Dali", "What are Dali's works?"),
        ("US", "in the United States"),
        ("United States", "in the U.S. now"),
        ("treatment of throat cancer", "Is throat cancer treatable? The treatment is long."),
        ("三里屯", "是吗，三里屯在哪儿"),
        ("20元", "门票二十元"),
        ("《泰坦尼克号》", "你看过泰坦尼克号吗"),
    ],
)
def test_support_does_not_depend_on_the_form(span: str, text: str) -> None:
    assert supported(span, [text])


@pytest.mark.parametrize(
    ("span", "text"), [("art", "a party"), ("北海", "北京和上海"), ("12", "a112"), ("whale", "sharks")]
)
def test_support_needs_the_whole_word(span: str, text: str) -> None:
    assert not supported(span, [text])


def test_questions_and_requests_are_told_from_statements() -> None:
    assert is_question("so what is it", "en")
    assert is_question("门票多少钱", "zh")
    assert not is_question("It was built in 1901.", "en")
    assert is_request("Thanks. Tell me about tea.", "en")
    assert is_request("帮我找一家餐馆", "zh")
    assert not is_request("推荐您去颐和园。", "zh")


def test_an_attribute_without_an_owner_is_seen() -> None:
    assert unowned("What are the symptoms?", "en") == "the symptoms"
    assert unowned("门票多少钱？", "zh") == "门票"
    assert unowned("What are the symptoms of lung cancer?", "en") is None
    assert unowned("What is the weather?", "en") is None
    assert unowned("天坛的门票多少钱？", "zh") is None


def test_a_hole_in_a_sentence_is_seen() -> None:
    assert gap("What is the cost of in Canada?", "en")
    assert gap("What are 's possible causes?", "en")
    assert gap("的门票多少钱？", "zh")
    assert gap("What is it for?", "en") is None
    assert gap("Where is Tom from?", "en") is None
    assert gap("我的地址是什么", "zh") is None


@settings(max_examples=40, deadline=None)
@given(texts, st.sampled_from(["zh", "en"]))
def test_no_text_breaks_the_rules_and_spans_are_where_they_say(text: str, language: Language) -> None:
    spans = mentions(text, language)
    assert all(text[span.start : span.end] == span.text != "" for span in spans)
    assert all(text[one.start : one.end] == one.text != "" for one in references(text, language))
    assert all(one.end <= two.start for one, two in pairwise(spans))
    is_question(text, language), is_request(text, language), unowned(text, language), gap(text, language)
    assert estimate_tokens(text) >= 0
    assert restored(text, text, language) == ()
    assert normalise(normalise(text)) == normalise(text)
    assert supported(text, [text])


def test_without_a_model_english_rules_still_find_names_and_pronouns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(en, "_pipeline", lambda: ("rules", None))
    en._analyses.clear()
    for cached in (en.mentions, en_references.references):
        cached.cache_clear()
    try:
        assert providers()["en"] == "rules"
        assert "Ada Lindqvist" in found("When was Ada Lindqvist born in 1911?", "en")
        assert pointed("When was she born?", "en") == ["she"]
    finally:
        en._analyses.clear()
        for cached in (en.mentions, en_references.references):
            cached.cache_clear()


def test_what_is_remembered_of_texts_has_bounded_room() -> None:
    calls = []

    @memoised(10)
    def length(text: str) -> int:
        calls.append(text)
        return len(text)

    assert [length(text) for text in ("aaaa", "bbbb", "aaaa")] == [4, 4, 4]
    assert calls == ["aaaa", "bbbb"]
    assert length("cccc") == 4  # no room for a third: the others are forgotten
    assert length("aaaa") == 4 and calls == ["aaaa", "bbbb", "cccc", "aaaa"]
    assert [length("x" * 11), length("x" * 11)] == [11, 11]  # longer than all the room: never kept
    assert calls[-2:] == ["x" * 11] * 2


def test_parses_of_a_batch_are_those_of_its_texts_one_by_one() -> None:
    texts = ["Where is Rome?", "Is it far?", "Where is Rome?"]
    batch = en.analyse_many(texts)
    en._analyses.clear()
    assert batch == [en.analyse(text) for text in texts]


@pytest.mark.slow
def test_jieba_serves_chinese_and_leaves_no_cache_behind() -> None:
    cache = Path(tempfile.gettempdir()) / "jieba.cache"
    existed = cache.exists()
    name, tag = zh._jieba_tagger()
    assert name == "jieba"
    assert ("北京", "ns") in tag("北京的天气怎么样")
    assert cache.exists() == existed
