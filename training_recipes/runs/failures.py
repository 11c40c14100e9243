"""Turns the end of a trainer's process into a paragraph with the next step.

Trainers die with a traceback of fifty lines, or without a word. What is known here is recognised by the last lines of
the log, the exit code and the space left on the disk; for all else the paragraph quotes the exception and names the log.
"""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pairwright.core.errors import TrainingError
from pairwright.core.extras import install_line

# Bytes: of the log's end that are looked at, and free ones below which a disk counts as full.
TAIL = 20_000
FULL_DISK = 1 << 20
MEMORY = (
    "Lower per_device_train_batch_size (now {per_device_train_batch_size}) and raise gradient_accumulation_steps by as "
    "much, lower cutoff_len or max_length where the rows allow it, set gradient_checkpointing: true, or take a LoRA or "
    "QLoRA recipe ('pairwright recipes list lora')."
)
_KILLED_UNDER_TORCHRUN = "Signal 9 (SIGKILL) received"
_OF_TORCHRUN = "ChildFailedError"  # says that a process failed, after that process has said why
_EXCEPTION = re.compile(r"^(?:\[rank\d+\]: ?)?([A-Za-z_][\w.]*(?:Error|Exception|Interrupt)): ?(.*)$", re.MULTILINE)


class Known(NamedTuple):
    """A failure that is recognised: ``hint`` may quote keys of the stage's settings in braces."""

    pattern: re.Pattern[str]
    message: str
    hint: str


def _known(pattern: str, message: str, hint: str) -> Known:
    return Known(re.compile(pattern), message, hint)


KNOWN = (
    _known(
        r"No space left on device|Errno 28|os error 28|Disk quota exceeded|PytorchStreamWriter failed writing|"
        r"unexpected pos \d+ vs \d+",
        "the disk is full",
        "Free some space, or give another --output; fewer or smaller checkpoints: --set save_total_limit=1",
    ),
    _known(
        r"File too large|Errno 27|os error 27",
        "a file grew larger than this machine lets it",
        "'ulimit -f' shows the limit, and some file systems have one of their own: raise it, or give another --output.",
    ),
    _known(r"CUDA out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED", "the GPU ran out of memory", MEMORY),
    _known(r"can't allocate memory|MemoryError|Cannot allocate memory", "the machine ran out of memory", MEMORY),
    _known(
        r"doesn't support bf16|does not support `?pure_bf16|bf16/gpu|bfloat16.{0,40}not supported",
        "this device cannot compute in bf16",
        "On an older GPU: --set bf16=false --set fp16=true. On the CPU: --set use_cpu=true --set bf16=false",
    ),
    _known(
        r"CUDA driver version is insufficient|no kernel image is available|Found no NVIDIA driver",
        "PyTorch cannot use this machine's GPU",
        "Its driver is too old for this build of PyTorch, or its architecture is not in it; 'nvidia-smi' shows both.",
    ),
    _known(
        r"is not a local folder and is not a valid model identifier|Can't load the (?:configuration|model|tokenizer)|"
        r"Incorrect path_or_model_id|Repo id must|Repository Not Found|does not appear to have a file named config\.json|"
        r"couldn't connect to .{0,40} to load|Cannot find valid model|Unrecognized model in",
        "there is no model to load at {model_name_or_path}",
        "Give the folder of a saved model with --model PATH, or a name on the Hub that this machine can reach "
        "(HF_HUB_OFFLINE must not be set, HF_ENDPOINT names a mirror).",
    ),
    _known(
        r"Can't find 'adapter_config\.json'|adapter_config\.json' at|Can't find adapter",
        "there is no adapter to load at {adapter_name_or_path}",
        "adapter_name_or_path must name the output folder of a LoRA training; run that stage first.",
    ),
    _known(
        r"No package metadata was found for|requires? the latest bitsandbytes|is required for this normal functioning|"
        r"ModuleNotFoundError: No module named|Please install|is not installed",
        "a package that this recipe needs is missing: {last}",
        f"The trainers: {install_line('train')} (what else a recipe needs stands in its opening comment).",
    ),
    _known(
        r"Output directory already exists and is not empty",
        "the stage's folder holds another training",
        "Give another --output, or --fresh to begin this run again.",
    ),
    _known(
        r"size mismatch for|Error\(s\) in loading state_dict",
        "the weights do not fit this model: {last}",
        "Adapter and base must belong together; with --fresh the run begins again.",
    ),
)


def failure(stage: str, code: int, log: Path, settings: Mapping[str, Any], begin: int = 0) -> TrainingError:
    """The error for a process that ended with ``code`` (negative: a signal).

    It printed what stands in ``log`` after the first ``begin`` bytes, which are of earlier tries.
    """
    said = _tail(log, begin)
    last = _last_exception(said)
    quoted = _Quoted({**settings, "last": last})
    if code in (-signal.SIGKILL, 128 + signal.SIGKILL) or _KILLED_UNDER_TORCHRUN in said:
        return TrainingError(
            f"stage {stage} was killed (signal 9); most often the system does that when memory runs out",
            f"{MEMORY.format_map(quoted)} {_afterwards(log)}",
        )
    for known in KNOWN:
        if known.pattern.search(said):
            return TrainingError(
                f"stage {stage}: {known.message.format_map(quoted)}",
                f"{known.hint.format_map(quoted)} {_afterwards(log)}",
            )
    if shutil.disk_usage(log.parent).free < FULL_DISK:
        return TrainingError(f"stage {stage}: the disk is full", f"{KNOWN[0].hint} {_afterwards(log)}")
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return TrainingError(f"stage {stage} ended with {how}: {last or 'it said nothing'}", _afterwards(log))


class _Quoted(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "not set"


def _afterwards(log: Path) -> str:
    return f"The whole log is {log}. Run the command again when that is mended: it goes on from the last checkpoint."


def _tail(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(begin, size - TAIL))
        # Progress bars return to the start of their line; each of their states is a line here.
        return file.read().decode("utf-8", "replace").replace("\r", "\n")


def _last_exception(said: str) -> str:
    found = _EXCEPTION.findall(said)
    if own := [one for one in found if not one[0].endswith(_OF_TORCHRUN)] or found:
        name, message = own[-1]
        return f"{name.rpartition('.')[2]}: {message}".strip(": ")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else ""
