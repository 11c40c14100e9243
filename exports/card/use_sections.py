"""What somebody must know who takes the set into use: personal data in it, how to get it, and how to cite it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pairwright.core.pages.markdown import block
from pairwright.core.result import BuildResult
from pairwright.exports.publishing.personal_data import KINDS, concerns, rows_by_kind

_GET = """\
Take the whole folder, and run every command in it. A YAML block is a file, and its first line is the command that reads it:

```sh
hf download OWNER/NAME --repo-type dataset --local-dir {name}
cd {name}
pip install {packages}
```"""
_ASK = """\
Ask the student about a row that it has not seen. Its prompt is in the row; a served student gets the same one:

```python
from datasets import load_dataset
from transformers import pipeline

row = load_dataset("json", data_files="{path}", split="train")[0]
student = pipeline("text-generation", model="out/trl-{kind}")
print(student(row["prompt"], max_new_tokens=200, return_full_text=False)[0]["generated_text"])
```"""
# What the exports are verified with: later versions of torch and transformers break the trainers.
_TORCH = ("torch==2.11.*", "torchaudio==2.11.*", "torchvision==0.26.*", "transformers>=4.57,<5")
_PACKAGES = {"llamafactory": ("llamafactory==0.9.5", *_TORCH), "trl": ("trl==0.24.*", *_TORCH)}


def personal_data_section(build: BuildResult) -> Iterator[str]:
    """How many rows hold what :mod:`~pairwright.exports.publishing.personal_data` looks for."""
    found = rows_by_kind(concerns(build.rows))
    yield (
        "Every text was searched for e-mail addresses, Chinese mobile numbers, Chinese resident identity numbers, "
        "payment cards and keys of services, and for nothing else: names, addresses and landline numbers may be in it."
    )
    yield ""
    rows = ", ".join(f"{kind} in {len(found[kind]):,}" for kind in KINDS if kind in found)
    if not rows:
        yield "No row holds any of them."
    else:
        yield f"**Rows that hold some: {rows}.** They must not be published unless everybody concerned agrees."


def getting(name: str, forms: Iterable[str]) -> str:
    """The commands that bring the files and what is needed to train on them. ``forms`` are the trainers' that were exported."""
    packages = dict.fromkeys(package for form in forms for package in _PACKAGES[form])
    return _GET.format(name=name, packages=" ".join(f'"{package}"' for package in packages))


def asking(path: str, kind: str) -> str:
    """A few lines of Python that ask the trained student about a row of ``path``, a file of the TRL form."""
    return _ASK.format(path=path, kind=kind)


def citation_section(build: BuildResult, title: str, citation: str | None, sources: Iterable[str]) -> list[str]:
    """What the build file says, else the sources and the build."""
    made = f"{title}. Build {build.build_id}, made with pairwright and distilabel from {', '.join(sources)}."
    return block([("cite", citation or made)], longest=4000)
