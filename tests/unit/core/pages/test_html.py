"""HTML pages: text stays text."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import example, given
from hypothesis import strategies as st
from rendered import HOSTILE, Rendered, spaced

from pairwright.core.pages.html import definition, element, folded, html_table, page, plain
from pairwright.core.pages.printable import printable

texts = st.text() | st.sampled_from(HOSTILE)


@given(texts)
@example("</td><td>")
@example('" onclick="')
@example("]]>")
def test_text_in_a_table_is_read_as_it_is_and_adds_no_element(text: str) -> None:
    found = Rendered(html_table([("head", text), (1, text), (2.5, "")]))
    assert [name for name, _ in found.tags] == [
        "div",
        "table",
        "thead",
        "tr",
        "th",
        "th",
        "tbody",
        *["tr", "td", "td"] * 2,
    ]
    assert found.text == spaced(f"head {printable(text)} 1 {printable(text)} 2.5")
    assert not found.others


@given(texts)
def test_no_text_of_a_page_is_markup(text: str) -> None:
    body = [element("p", text, "soft"), folded(text, element("p", text)), definition({text: text}, text)]
    calm, hostile = (Rendered(page(one, "en", body)) for one in ("calm", text))
    assert [name for name, _ in calm.tags] == [name for name, _ in hostile.tags]
    assert calm.names == {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "p",
        "details",
        "summary",
        "dl",
        "dt",
        "dd",
    }
    assert {key for _, attributes in hostile.tags for key in attributes} <= {
        "lang",
        "charset",
        "name",
        "content",
        "class",
    }
    assert hostile.others == ["DOCTYPE html"]


@given(texts)
@example("\x1b\ufffe\ud800")
def test_plain_text_is_xml_too(text: str) -> None:
    parsed = ElementTree.fromstring(f'<svg name="{plain(text)}"><text>{plain(text)}</text></svg>')
    assert (parsed[0].text or "") == printable(text)
    assert list(parsed[0]) == []
