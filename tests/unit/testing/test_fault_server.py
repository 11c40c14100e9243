"""The server as a process of its own; what it does to requests is seen in the tests of the client."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "When?"}]}).encode()


@contextmanager
def served(*options: str) -> Iterator[str]:
    command = [sys.executable, "-W", "error", "-m", "pairwright.testing.fault_server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def said(url: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(f"{url}/chat/completions", BODY)) as response:
        text: str = json.load(response)["choices"][0]["message"]["content"]
        return text


def test_a_process_answers_with_a_function_of_a_file_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "my_answers.py"
    path.write_text("def upper(body):\n    return body['messages'][-1]['content'].upper()\n", encoding="utf-8")
    with served("--answer", f"{path}:upper") as url:
        assert [said(url), said(url)] == ["WHEN?", "WHEN?"]
        with urllib.request.urlopen(url.replace("/v1", "/stats")) as response:
            stats = json.load(response)
    assert (stats["requests"], stats["asked_twice"], stats["statuses"]) == (2, 1, {"200": 2})


def test_a_process_misbehaves_as_it_is_told() -> None:
    with (
        served("--faults", '{"429": 1.0}', "--retry-after", "7") as url,
        pytest.raises(urllib.error.HTTPError) as refused,
    ):
        said(url)
    with refused.value as error:
        assert (error.code, error.headers["Retry-After"]) == (429, "7")
