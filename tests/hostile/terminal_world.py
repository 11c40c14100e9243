"""Where the cases about terminals plant their texts: a folder with small builds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from pairwright.testing.fault_server import FaultServer


class World(NamedTuple):
    """An empty folder to plant in, and what is to be closed afterwards."""

    folder: Path
    stack: ExitStack

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return path

    def build_file(self, rows: Sequence[Mapping[str, Any]] | None = None, name: str = "build.yaml", **keys: Any) -> str:
        """A build that asks no model; ``keys`` replace its own. Its path."""
        plain = [row(number) for number in range(6)]
        lines = (json.dumps(row, ensure_ascii=False) for row in (plain if rows is None else rows))
        self.write("rows.jsonl", "".join(f"{line}\n" for line in lines))
        content = {
            "name": "small",
            "output": "out",
            "sources": [{"use": "files", "source": "rows", "path": "rows.jsonl", "licence": "MIT"}],
            "perturbers": [{"use": "entity_deletion"}],
            "exports": [{"use": "llamafactory"}, {"use": "card"}],
            "pairing": {"max_defect_share": 1.0, "max_template_share": 1.0, "max_surface_auc": 1.0},
            "limits": {"max_failure_rate": 1.0},
            **keys,
        }
        return str(self.write(name, yaml.safe_dump(content, allow_unicode=True)))

    def asking(self, answer: Callable[[Any], Any] | None = None, refuse: str = "", **keys: Any) -> str:
        """The same with a teacher behind a server."""
        server = self.stack.enter_context(FaultServer(answer=answer) if answer else FaultServer())
        if refuse:
            server.refuse = lambda body: (400, refuse)
        endpoint = {"base_url": server.base_url, "model": "stub", "max_retries": 0, **keys.pop("endpoint", {})}
        generation = [{"role": "teacher", "endpoint": "teacher", "temperatures": [0.0]}]
        return self.build_file([row(0), row(1)], endpoints={"teacher": endpoint}, generation=generation, **keys)


def row(number: int, **keys: Any) -> dict[str, Any]:
    if number % 2:
        history = [{"role": "user", "content": "小汤山镇在哪？"}, {"role": "assistant", "content": "在北京昌平。"}]
        plain = {
            "id": f"z{number}",
            "history": history,
            "query": "门票多少？",
            "rewrite": f"小汤山镇第{number}天门票多少？",
        }
    else:
        history = [{"role": "user", "content": "Who wrote Dune?"}, {"role": "assistant", "content": "Frank Herbert."}]
        plain = {"id": f"e{number}", "history": history, "query": "When was he born?"}
        plain["rewrite"] = f"When was Frank Herbert born in {1900 + number}?"
    return {**plain, **keys}
