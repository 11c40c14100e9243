"""What a build needs and what it would do, found out without sending anything."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pairwright.core.config import BuildConfig, EndpointConfig
from pairwright.core.errors import ConfigError
from pairwright.core.ledger import Ledger
from pairwright.core.records import StageCount
from pairwright.pipelines.books import Books
from pairwright.pipelines.build import ledger_path, read_tasks, tasks_in
from pairwright.pipelines.progress import Silent
from pairwright.pipelines.report import Table, funnel_table
from pairwright.pipelines.servers import endpoints_in_use


def preflight(config: BuildConfig) -> Iterator[str]:
    """One line per thing that is there; raise at the first that is missing.

    Raises:
        ConfigError: an environment variable with a key is not set.
        ModelError: an embedded endpoint lacks its server or weights.
        SourceError: a source cannot be read.
    """
    for name, endpoint in endpoints_in_use(config).items():
        yield f"endpoint {name}: {_reachable(name, endpoint)}"
    for count in count_rows(config):
        yield f"{count.stage}: {count.kept} of {count.rows_in} {count.unit}s kept"


def _reachable(name: str, endpoint: EndpointConfig) -> str:
    from pairwright.core.embedded import weights

    if endpoint.use == "embedded":
        return f"{weights(name, endpoint).name} on this machine"
    if endpoint.api_key_env and not os.environ.get(endpoint.api_key_env):
        raise ConfigError(
            [f"endpoints.{name}.api_key_env: the environment variable {endpoint.api_key_env} is not set"],
            f"export {endpoint.api_key_env}=... in the shell that runs the build.",
        )
    return f"{endpoint.model} at {endpoint.base_url}, key {'from ' + endpoint.api_key_env if endpoint.api_key_env else 'none'}"
