"""Personal data: what has the form of it is found, and ordinary numbers of dialogues are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pairwright.core.records import ToolCall, Turn
from pairwright.exports.publishing.personal_data import Concern, concerns, personal_data, rows_by_kind
from pairwright.testing import factories


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Mail me at jane.doe+x@mail.co.uk, thanks", "email"),
        ("我的邮箱是zhang_3@qq.com。", "email"),
        ("我电话13812345678哈", "mobile_number"),
        ("拨008613812345678", "mobile_number"),
        ("1.13812345678 2.张三", "mobile_number"),
        ("Tel.13812345678", "mobile_number"),
        ("电话.13812345678", "mobile_number"),
        ("No.4111111111111111", "payment_card"),
        ("1 11010519491231002X", "identity_number"),
        ("3-11010519491231002X", "identity_number"),
        ("x&#x0040;example.com", "email"),
        ("x&commat;example.com", "email"),
        ("x%2540example.com", "email"),
        ("138–1234–5678", "mobile_number"),
        ("138.1234.5678", "mobile_number"),
        ("138·1234·5678", "mobile_number"),
        ("138\u22121234\u22125678", "mobile_number"),
        ("138/1234/5678", "mobile_number"),
        ("138   1234   5678", "mobile_number"),
        ("电话（138）1234-5678", "mobile_number"),
        ("+86（138）12345678", "mobile_number"),
        ("mailto:jane%40mail.example", "email"),
        ("jane&#64;mail.example", "email"),
        ("иван@почта.рф", "email"),
        ("jane@mail.xn--fiqs8s", "email"),
        ("4111.1111.1111.1111", "payment_card"),
        ("4111  1111  1111  1111", "payment_card"),
        ("redis://:p4ssw0rdX@10.0.0.5:6379/0", "api_key"),
        ("https://host/x?a=1&api_key=0123456789ab", "api_key"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----", "api_key"),
        ("x%20sk-0123456789abcdef0123", "api_key"),
        ("sk\u20110123456789abcdef0123", "api_key"),
        ("138 - 1234 - 5678", "mobile_number"),
        ("1381 2345 678", "mobile_number"),
        ("+86(138)12345678", "mobile_number"),
        ("110105 19491231 002X", "identity_number"),
        ("1101-0519-4912-3100-2X", "identity_number"),
        ("11010519491231002×", "identity_number"),
        ("6222 0212 3456 7890 128", "payment_card"),
        ("2223 0031 2200 3222", "payment_card"),
        ("3782 822463 10005", "payment_card"),
        ("4111 1111 1111 1111 123", "payment_card"),
        ("张伟@qq.com", "email"),
        ("zhang@例子.中国", "email"),
        ("zhang@qq。com", "email"),
        ("BEARER abcdefghijklmnop1234", "api_key"),
        ("Authorization: Basic dTpzZWNyZXRwdw==", "api_key"),
        ("see https://u:secretpw1@host/x", "api_key"),
        ("+86 138-1234-5678", "mobile_number"),
        ("身份证11010519491231002X", "identity_number"),
        ("card 4111 1111 1111 1111 please", "payment_card"),
        ("我的邮箱是ｚｈａｎｇ＠ｑｑ．ｃｏｍ", "email"),
        ("电话１３８１２３４５６７８", "mobile_number"),
        ("138\u200b1234\u200b5678", "mobile_number"),
        ("用这个密钥：sk-ant-api03-0123456789abcdefghij", "api_key"),
        ("Authorization: Bearer abcdefghijklmnop.qrstuvwxyz", "api_key"),
        ("AKIA0123456789ABCDEF", "api_key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "api_key"),
    ],
)
def test_each_kind_is_found_in_both_languages(text: str, kind: str) -> None:
    assert [found for found, _ in personal_data(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "电话是010-62551234，门票12345678901元",  # a landline, and eleven digits that no mobile number begins with
        "order 4111 1111 1111 1112",  # no card: the check digit is wrong
        "身份证110105194912310021",  # no identity number: the check digit is wrong
        "圆周率3.14159265358979323846",
        "0.13812345678",
        "p = .13812345678",
        "1788f54159904 1528a3544f269",  # hashes
        "138元，1234，5678",
        "比例（138）：1234，5678",
        "https://host/x?token=none&page=12345678",
        "lr 0.1381.2345678, 1.2.3.4",
        "http://localhost:8000/v1",
        "it starts @ 5pm, a@b",
        "ISBN 9787115546081, 2023-11-21 13:00",
        "01223 337733",
        "the sk-learn package, a task-list, hf_token",
        "a bearer of bad news",
        "",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert list(personal_data(text)) == []


@pytest.mark.parametrize("value", ["jane@mail.example", "13812345678", "sk-0123456789abcdef0123"])
@pytest.mark.parametrize(
    ("field", "task", "chosen"),
    [
        ("task.system", {"system": "Say {}"}, {}),
        ("task.domain", {"domain": "{}"}, {}),
        ("task.dialogue", {"dialogue": "{}"}, {}),
        ("task.tools", {"tools": '[{{"function":{{"name":"f","description":"ask {}"}}}}]'}, {}),
        ("task.origin.key", {"origin": ("key", "{}")}, {}),
        ("task.steps.calls.arguments", {"steps": "{}"}, {}),
        ("chosen.analysis", {}, {"analysis": "It is {}"}),
    ],
)
def test_every_field_of_a_row_is_searched(
    tmp_path: Path, value: str, field: str, task: dict[str, Any], chosen: dict[str, Any]
) -> None:
    given = {key: _filled(key, text, value) for key, text in task.items()}
    row = factories.sft_row(factories.task(**given))
    row = row.model_copy(update={"chosen": row.chosen.model_copy(update=_all(chosen, value))})
    factories.build_result(tmp_path, [row], [])
    ((_, place, hint),) = concerns(tmp_path / "rows")
    assert place == f"rows/sft.jsonl:1 {field}"
    assert value not in hint


@pytest.mark.parametrize(
    "text", ['{"tel":"\\u53f713812345678"}', ' [{"tel": "\\u53f713812345678"}] ', 'x: "\\\\u53f713812345678"']
)
def test_json_that_writes_characters_as_escapes_is_searched(tmp_path: Path, text: str) -> None:
    factories.build_result(tmp_path, [factories.sft_row(factories.task(domain=text))], [])
    assert [concern.kind for concern in concerns(tmp_path / "rows")] == ["mobile_number"]


def _filled(key: str, text: Any, value: str) -> Any:
    if key == "origin":
        return factories.origin(**{text[0]: value})
    if key == "steps":
        call = ToolCall(name="f", arguments=json.dumps({"to": value}))
        return (Turn(role="assistant", content="", calls=(call,)),)
    return text.format(value)


def _all(fields: dict[str, str], value: str) -> dict[str, str]:
    return {key: text.format(value) for key, text in fields.items()}


def test_escapes_inside_json_hide_nothing(tmp_path: Path) -> None:
    tools = '[{"function":{"name":"f","description":"jane\\u0040mail.example"}}]'
    factories.build_result(tmp_path, [factories.sft_row(factories.task(tools=tools))], [])
    assert [found.kind for found in concerns(tmp_path / "rows")] == ["email"]


@pytest.mark.parametrize("value", ["13812345678", "sk-0123456789abcdef0123"])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("before", "\b\f\n\r\t")
def test_a_line_break_that_json_writes_as_an_escape_hides_nothing(
    tmp_path: Path, value: str, depth: int, before: str
) -> None:
    text = f"here:{before}{value}"
    for _ in range(depth):
        text = json.dumps({"note": text})
    factories.build_result(tmp_path, [factories.sft_row(factories.task(domain=text))], [])
    assert list(concerns(tmp_path / "rows"))


def test_our_own_ids_and_hashes_are_no_numbers_of_anybody(tmp_path: Path) -> None:
    row = factories.sft_row().model_copy(update={"id": "4111111111111111"})
    row = row.model_copy(update={"task": row.task.model_copy(update={"conversation": "13812345678", "tokens": 7})})
    factories.build_result(tmp_path, [row], [])
    assert list(concerns(tmp_path / "rows")) == []


def test_a_row_counts_once_per_kind() -> None:
    found = [Concern("email", f"rows/sft.jsonl:{line} {field}", "") for line in (1, 1, 2) for field in ("a", "b")]
    assert {kind: len(rows) for kind, rows in rows_by_kind(found).items()} == {"email": 2}
