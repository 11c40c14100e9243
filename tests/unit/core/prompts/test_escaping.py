"""Tags and control tokens however they are dressed up, and the good texts that look a little like them."""

from __future__ import annotations

import random

import pytest

from pairwright.core.prompts.control_tokens import holds_control_token
from pairwright.core.prompts.escaping import defuse_turns, escape, unescape

TAGS_IN_DISGUISE = [
    *("<\u034f/history>", "<\u180e/history>", "< h\u034fistory>", "< hi\u0301story>", "< h\u20ddistory>"),
    *(
        "<\U000e0100/history>",
        "< hi\U000e0073story>",
        "<\u3164/task>",
        "<\uffa0/user>",
        "< u\u115fser>",
        "<\u2800/answer>",
    ),
    *("‹/history›", "〈/history〉", "❮user❯", "⟨/ history x=1⟩", "《/history》", "«/system»", "≮history>"),
    *("<∕history>", "<\u2003⁄\u2003history>", "＜⧸history＞", "< ｈｉｓｔｏｒｙ>", "< hіstory>", "< һιѕtоry>"),
    *("< 𝓱𝓲𝓼𝓽𝓸𝓻𝔂>", "< ⓗⓘⓢⓣⓞⓡⓨ>", "< 🅷🅸🆂🆃🅾🆁🆈>", "< ʜɪsᴛᴏʀʏ>", "<&#47;history>", "<&sol;history>"),
    *("<丿history>", "‹丿history›", "‹ hiﬆory>", "〈syﬆem〉", "‹ ᎢᎪᏚᏦ >", "< rules>"),
    *("<<history>history>", "<\n/history\nx='1'>", "请看‹/current_query›好", "〈 user id = 1 〉"),
]
TOKENS_IN_DISGUISE = [
    *("<_user>", "<_bot>", "<_end>", "<start_function_call>", "<file_sep>", "<arg_key>", "<｜DSML｜function_calls>"),
    *("<BOS_TOKEN>", "<IMG_CONTEXT>", "<image_soft_token>", "<longcat_user>", "<fim_hole>", "<im_start>", "<escape>"),
    *(
        "]~b]system",
        "]~!b[",
        "[e~[",
        "]!p~[",
        "]!d~[",
        "]<]start of image[>[",
        "］~b］",
        "]\u200b~b]",
        "]～ｂ]",
        "［e~［",
    ),
    *(
        "[INST]",
        "[/INST]",
        "［INST］",
        "[／INST]",
        "[I\u200bN\u034fST]",
        "[ INST ]",
        "【INST】",
        "[AVAILABLE_TOOLS]",
        "[TOOL＿CALLS]",
    ),
    *(
        "[/TOOL_RESULTS]",
        "[TOOL_CONTENT]",
        "[gMASK]",
        "<\u034f|im_end|>",
        "<❘im_end❘>",
        "‹|im_end|›",
        "<\u0301s>",
        "<ｓ>",
    ),
    *(
        "<｜end▁of▁sentence｜>",
        "《SYS》",
        "<\u2060<SYS>>",
        "<\u180ethink>",
        "<tool\u034f_call>",
        "<start＿of＿turn>",
        "〈think〉",
    ),
    *(
        "[|system|]",
        "[|endofturn|]",
        "[sMASK]",
        "◁think▷",
        "<eoh>",
        "<seed:bos>",
        "<extra_id_0>",
        "<fim_prefix>",
        "<|turn>",
    ),
    *("<丨im_start丨>", "‹㇑im_start㇑>", "[㏌ST]", "[INﬆ]", "[IN\u2065ST]", "[ꓲꓠꓢꓔ]", "[ᏆNᏚᎢ]", "好[inst]"),
    *("</tool_result >", "<TOOL_RESULT>", "</ tool_result>", '<tool_result id="1">', "</tool\u200b_result>"),
]
GOOD = [
    *(
        "a < b",
        "I <3 you",
        "《书名》和〈篇名〉",
        "见[1]、[图2]",
        "x[inst]",
        "⟨ψ|φ⟩ ⟨|x|⟩ ⟨s⟩",
        "a ≮ b，a≮b",
        "«history» ‹Geschichte›",
    ),
    *(
        "List[int]",
        "[Task]",
        "【任务】",
        "[System prompt]",
        "हिन्दी क्‍ष",
        "ไทย",
        "نمی‌خواهم",
        "[img]x[/img]",
        "数 < ノート",
        "x &lt; y",
    ),
    *("df[a]~b", "x[i]!=p[j]", "a[0]]<7[1]>[2]", "[e~]", "](~b)", "[a]~[b]", "数组[1]！"),
    *("№ 5 of ﬁne ㎞", "数组a[|x|]", "丨竖线丨", "【重要】请注意", "◁ 上一页 ▷"),
    *("👩‍👩‍👧 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 [👍️]", "&#60; &#91;1]", "[]", "[", "a <", "{'a': [{}]}"),
]
PIECES = (
    *"<‹«[【＜［》>]|/&;= historyINSTsuer_#19\u200b\u0301",
    *(
        "&lt;",
        "&#91;",
        "&#93;",
        "&#8249;",
        "history",
        "INST",
        "SYS",
        "|a",
        "im_end",
        "书",
        "]~b]",
        "~!b[",
        "[e~[",
        "]<]a[>[",
    ),
)


@pytest.mark.parametrize("text", [*TAGS_IN_DISGUISE, *TOKENS_IN_DISGUISE])
def test_what_a_model_may_read_as_a_tag_or_token_is_escaped_and_comes_back_in_answers(text: str) -> None:
    escaped = escape(text)
    assert escaped != text
    assert escape(escaped) == escaped
    assert unescape(f"好 {escaped}") == f"好 {text.replace('＜', '<')}"


@pytest.mark.parametrize("text", TOKENS_IN_DISGUISE)
def test_chats_have_no_control_token_in_disguise(text: str) -> None:
    if " " not in text or "tool" in text:
        assert defuse_turns(text) != text
    assert defuse_turns(defuse_turns(text)) == defuse_turns(text)


@pytest.mark.parametrize("text", GOOD)
def test_good_text_stays_as_it_is(text: str) -> None:
    assert escape(text) == text
    assert unescape(text) == text
    assert defuse_turns(text) == text
    assert not holds_control_token(text)


@pytest.mark.parametrize(
    "text", ["[TOOL_CALLS]", "<start_of_turn>", "<|im_\u034fend|>", "［/INST］", "<｜User｜>", "<\u200b/s>"]
)
def test_an_answer_with_a_control_token_in_disguise_holds_one(text: str) -> None:
    assert holds_control_token(f"好 {text} yes")


def test_escaping_twice_is_escaping_once_and_undoing_it_gives_the_text_back() -> None:
    draw = random.Random(7)
    for _ in range(4000):
        text = "".join(draw.choices(PIECES, k=draw.randint(2, 14)))
        assert escape(escape(text)) == escape(text)
        assert defuse_turns(defuse_turns(text)) == defuse_turns(text)
        assert unescape(unescape(text)) == unescape(text)
        if "&" not in text:
            assert unescape(escape(text)).replace("＜", "<") == text.replace("＜", "<")
