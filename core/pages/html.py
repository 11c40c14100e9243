"""HTML pages that open from disk: one file, no script, no network, readable on a phone. Markup in the text of rows is shown, not obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from pairwright.core.pages.cells import Table
from pairwright.core.pages.printable import printable

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--line:#d7dce1;--paper:#fff;--wash:#f5f7f9;--plain:#3567b5;--good:#18794e;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a3adb8;--line:#3a4149;--paper:#15181c;--wash:#1e2328;--plain:#7ea6e8;--good:#5fc08f;--bad:#f0837a}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:60rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,"PingFang SC","Hiragino Sans GB","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.25rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}h3{font-size:1rem;margin:1.25rem 0 .25rem}
p{margin:.4rem 0}.soft{color:var(--soft);font-size:.875rem}.verdict{background:var(--wash);border-left:4px solid var(--plain);padding:.6rem .8rem}
.metric{border-top:1px solid var(--line);padding:.6rem 0}.metric h3{margin:0}
.line{display:grid;grid-template-columns:12rem 1fr 13rem;gap:.75rem;align-items:center;margin:.15rem 0}
.line .name{font-weight:600}.line .number{font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{width:100%;height:16px;display:block}.rule{stroke:var(--line);stroke-width:1}.zero{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 2}
.bar line{vector-effect:non-scaling-stroke}.span{stroke-width:6;stroke-linecap:round;opacity:.35}.dot{stroke-width:9;stroke-linecap:round}
.plain{stroke:var(--plain)}.good{stroke:var(--good)}.bad{stroke:var(--bad)}
details{border:1px solid var(--line);border-radius:6px;padding:.4rem .7rem;margin:.5rem 0}summary{cursor:pointer;font-weight:600}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line);white-space:nowrap;overflow-wrap:normal}
.example{background:var(--wash);border-radius:6px;padding:.6rem .8rem;margin:.6rem 0}.example dt{color:var(--soft);font-size:.8rem}.example dd{margin:0 0 .35rem}
code{font-size:.85em}
@media (max-width:40rem){.line{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 .75rem}.line .bar{order:3}
.line .name{overflow-wrap:normal}th,td{padding:.25rem .35rem}}
"""


def page(title: str, language: str, body: Iterable[str]) -> str:
    """A whole page; ``body`` is markup."""
    return (
        f'<!DOCTYPE html>\n<html lang="{plain(language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{plain(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{element('h1', title)}\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def plain(text: str) -> str:
    """``text`` between tags or in an attribute of HTML or SVG."""
    return escape(printable(text))


def element(tag: str, text: str, css: str = "") -> str:
    """One element around plain text."""
    kind = f' class="{css}"' if css else ""
    return f"<{tag}{kind}>{plain(text)}</{tag}>"


def html_table(table: Table) -> str:
    """A table of plain texts that scrolls sideways on its own; the first row is the header."""
    header, *rows = table
    top = "".join(element("th", str(cell)) for cell in header)
    lines = ("<tr>" + "".join(element("td", str(cell)) for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def folded(summary: str, body: str) -> str:
    """A part that opens when touched; ``body`` is markup."""
    return f"<details>{element('summary', summary)}{body}</details>"


def definition(pairs: Mapping[str, str] | Iterable[tuple[str, str]], language: str = "") -> str:
    """A list of names and texts, with the language of the texts where it differs from the page's."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    lang = f' lang="{plain(language)}"' if language else ""
    inner = "".join(f"{element('dt', name)}<dd{lang}>{plain(text)}</dd>" for name, text in items)
    return f'<dl class="example">{inner}</dl>'
