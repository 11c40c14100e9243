"""What becomes of a command whose output is closed, full or missing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from building import CLI, build_file, manifest

pytestmark = pytest.mark.slow


def shell(script: str) -> subprocess.CompletedProcess[str]:
    command = script.replace("pairwright", " ".join(CLI), 1)
    return subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=240)


@pytest.mark.parametrize("command", ["--help", "list", "schema"])
def test_a_reader_that_has_seen_enough_is_no_error(command: str) -> None:
    done = shell(f"pairwright {command} | (exec 0<&-; sleep 0.1)")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["--version", "list"])
def test_output_that_cannot_be_written_is_one_error(command: str) -> None:
    done = shell(f"pairwright {command} > /dev/full")
    assert done.returncode == 1
    assert done.stderr.startswith("error: standard output: No space left on device\n")
    assert len(done.stderr.splitlines()) == 2


def test_a_build_whose_reader_goes_finishes_its_work(tmp_path: Path) -> None:
    done = shell(f"pairwright build {build_file(tmp_path)} 2>&1 | (exec 0<&-; sleep 0.1)")
    assert (done.returncode, done.stderr) == (0, "")
    assert manifest(tmp_path / "build")["build"]


def test_without_any_output_a_build_still_works_and_nothing_is_printed_into_its_files(tmp_path: Path) -> None:
    done = shell(f"pairwright build {build_file(tmp_path)} <&- >&- 2>&-")
    assert done.returncode == 0
    assert manifest(tmp_path / "build")["build"]


def test_an_error_that_nobody_can_read_keeps_its_exit_code(tmp_path: Path) -> None:
    assert shell(f"pairwright check {tmp_path / 'none.yaml'} 2>/dev/full").returncode == 2
