"""A build whose rows, sources and defects have names that mean something to Markdown, HTML and terminals."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rendered import HOSTILE, Rendered, markdown, spaced

from building import build_file, rows, run, write_rows
from pairwright.core.pages.printable import one_line

TEXT = "\n".join(text for text in HOSTILE if "@" not in text)  # an address would be counted as personal data
# A build file that holds a control character is refused.
WRITTEN = "\n".join(
    text for text in HOSTILE if "@" not in text and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
)
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
PARTS = '''
from pathlib import Path

from pairwright.core.components import Component
from pairwright.core.records import Conversation, Rejected
from pairwright.pipelines.ingest.sources import FileSource


NAME = (Path(__file__).parent / "name.txt").read_bytes().decode()


class Calling(Component):
    """Makes everything worse in the same way, and calls that what no build file may hold."""

    name = "calling"

    def perturb(self, case, chosen, rng):
        yield Rejected(text=f"{chosen.text} {NAME}", defect=NAME, rejected_by=self.name, template=NAME)


class Called(FileSource):
    """Rows whose source has a name that no build file may give it."""

    called: str

    def read(self):
        for row in super().read():
            origin = row.origin.model_copy(update={"source": self.called})
            fields = {key: value for key, value in row if key not in ("id", "origin")}
            yield Conversation.create(**fields, origin=origin)
'''


def built(folder: Path, text: str, written: str) -> Path:
    """A build in which ``text`` stands wherever a row can bring it along, ``written`` wherever the build file can; its folder."""
    folder.mkdir()
    (folder / "parts.py").write_text(PARTS, encoding="utf-8")
    (folder / "name.txt").write_bytes(text.encode())
    data = [{**row, "domain": f"{text} {number % 2}"} for number, row in enumerate(rows("zh_gold.jsonl", 20))]
    data[0]["query"] += text
    path = str(write_rows(folder / "rows.jsonl", data))
    file = build_file(
        folder,
        sources=[{"use": "parts:Called", "source": "called", "called": written, "path": path, "licence": written}],
        evaluations=[{"use": "files", "source": "test", "path": path, "licence": written}],
        decontamination={"action": "flag"},
        diversity={},
        perturbers=[{"use": "parts:Calling"}],
        exports=[{"use": "card", "title": written, "notes": {written: written}, "citation": written}],
    )
    done = run("build", file, "--allow-licence", env={"PYTHONPATH": str(folder)})
    assert done.returncode == 0, done.stderr
    shown = run("show", folder / "build", "--limit", "1", env={"PYTHONPATH": str(folder)})
    row = run("show", folder / "build", "--row", shown.stdout.split(", pair ")[-1].split()[0])
    assert (shown.returncode, row.returncode) == (0, 0), shown.stderr + row.stderr
    for printed in (done.stdout, done.stderr, shown.stdout, row.stdout):
        assert not STEERING.search(printed)
    return folder / "build"


def page(path: Path) -> Rendered:
    """A Markdown file without its metadata."""
    return markdown(re.sub(r"\A---\n.*?\n---\n", "", path.read_text(encoding="utf-8"), flags=re.DOTALL))


@pytest.mark.timeout(400)
def test_no_name_changes_what_the_report_and_the_card_are_made_of(tmp_path: Path) -> None:
    calm, hostile = (
        built(tmp_path / name, *texts) for name, *texts in (("calm", "calm", "calm"), ("hostile", TEXT, WRITTEN))
    )
    for name in ("report.md", "exports/README.md"):
        expected, found = page(calm / name), page(hostile / name)
        assert found.tags == expected.tags, name
        assert found.others == []
        assert spaced(one_line(TEXT)) in found.text
