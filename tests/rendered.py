"""Markdown and HTML as a reader's program understands them: which elements there are, and what is to be read."""

from __future__ import annotations

from html.parser import HTMLParser

from markdown_it import MarkdownIt

# What a row may bring along: everything that means something to Markdown, HTML, a terminal or the direction of writing.
HOSTILE = (
    "# Heading",
    "x\n\n## Heading\n\n- item",
    "</table><script>alert(1)</script><table>",
    "</td></tr></table><img src=x onerror=alert(1)>",
    "a | b || c \\| d",
    "[x](javascript:1) ![](http://x) <http://x> [^1] [a]: b",
    "`code` ``` ~~~ ~~gone~~ **bold** __bold__ _slanted_ $x$ $$y$$ \\(z\\)",
    "\x1b[31mred\x1b[0m \x9b31m \x07 \x00",
    "user\u202egnp.exe\u2066\u200b\u200f\ufeff\u00ad",
    "[bold red]rich[/] [link=http://x]y[/link]",
    "<!-- & &lt; &amp;#60; &#x3c; -->",
    "1. one\r\n2) two\r---\u2028===",
    "http://x.org www.x.org",
    "x@y.org @somebody",
)
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


class Rendered(HTMLParser):
    """The elements of a page and its text. ``tags`` has every opening tag with its attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.others: list[str] = []
        self._texts: list[str] = []
        self.feed(html)
        self.close()

    @property
    def names(self) -> set[str]:
        """Which elements there are."""
        return {name for name, _ in self.tags}

    @property
    def text(self) -> str:
        """What is to be read, with single spaces."""
        return spaced(" ".join(self._texts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self._texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)


def markdown(text: str) -> Rendered:
    """A page of Markdown."""
    return Rendered(_MARKDOWN.render(text))


def spaced(text: str) -> str:
    """``text`` with single spaces, as HTML shows it."""
    return " ".join(text.split())
