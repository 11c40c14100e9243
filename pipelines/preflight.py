"""What a build needs, looked at before anything is read or paid for: the same for ``check`` and ``build``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from pairwright.core.config.build_file import BuildConfig, EndpointConfig
from pairwright.core.config.endpoint_urls import shown_url
from pairwright.core.config.model_families import family_warnings
from pairwright.core.errors import ConfigError, ExportError
from pairwright.core.exporter import NeedyExporter
from pairwright.pipelines.endpoint_servers import endpoints_in_use
from pairwright.pipelines.stage import Stage


def require_all(stages: Iterable[Stage], config: BuildConfig) -> None:
    """Ask every stage for what it needs.

    Raises:
        ConfigError: something is missing; every problem of every stage is in it.
    """
    found: list[ConfigError] = []
    for stage in stages:
        try:
            stage.require(config)
        except ConfigError as exc:
            found.append(exc)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ConfigError(
            [problem for one in found for problem in one.problems], "\n".join(one.hint for one in found if one.hint)
        )


def require_exports(config: BuildConfig) -> None:
    """Ask every export for what it needs: at the end of a build it is late to learn that it is not there.

    Raises:
        ConfigError: something is missing.
    """
    for number, exporter in enumerate(config.exports):
        if isinstance(exporter, NeedyExporter):
            try:
                exporter.require()
            except ExportError as exc:
                raise ConfigError([f"exports.{number}: {exc.message}"], exc.hint) from exc


def check_endpoints(config: BuildConfig) -> Iterator[str]:
    """One line per endpoint that could be asked, and warnings; nothing is sent.

    Raises:
        ConfigError: an environment variable with a key is not set.
        ModelError: an embedded endpoint lacks its server or weights.
    """
    for name, endpoint in endpoints_in_use(config).items():
        yield f"endpoint {name}: {_reachable(name, endpoint)}"
    yield from family_warnings(config)


def _reachable(name: str, endpoint: EndpointConfig) -> str:
    from pairwright.core.llm.embedded_server import weights
    from pairwright.core.llm.endpoint import key_problem

    if endpoint.use == "embedded":
        return f"{weights(name, endpoint).name} on this machine"
    key = os.environ.get(endpoint.api_key_env or "", "").strip()
    if endpoint.api_key_env and not key:
        raise ConfigError(
            [f"endpoints.{name}.api_key_env: the environment variable {endpoint.api_key_env} is not set"],
            f"export {endpoint.api_key_env}=... in the shell that runs the build.",
        )
    if problem := key_problem(key):
        raise ConfigError(
            [
                f"endpoints.{name}.api_key_env: the environment variable {endpoint.api_key_env} {problem}; its value is not shown"
            ],
            f"export {endpoint.api_key_env}=... with the key alone, in the shell that runs the build.",
        )
    known = f"key from {endpoint.api_key_env}" if endpoint.api_key_env else "no key"
    return f"{endpoint.model} at {shown_url(endpoint.base_url or '')}, {known}"
