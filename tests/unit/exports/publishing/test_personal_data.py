"""Personal data: what has the form of it is found, and ordinary numbers of dialogues are not."""

from __future__ import annotations

import pytest

from pairwright.exports.publishing.personal_data import personal_data


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Mail me at jane.doe+x@mail.co.uk, thanks", "email"),
        ("我的邮箱是zhang_3@qq.com。", "email"),
        ("我电话13812345678哈", "mobile_number"),
        ("+86 138-1234-5678", "mobile_number"),
        ("身份证11010519491231002X", "identity_number"),
        ("card 4111 1111 1111 1111 please", "payment_card"),
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
        "it starts @ 5pm, a@b",
        "ISBN 9787115546081, 2023-11-21 13:00",
        "01223 337733",
        "",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert list(personal_data(text)) == []
