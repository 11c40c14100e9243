"""What a build needs, looked at before anything is read or paid for: the same for ``check`` and ``build``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from pairwright.core.config.build_file import BuildConfig, EndpointConfig
from pairwright.core.config.endpoint_urls import shown_url
from pairwright.core.config.model_families import family_warnings
from pairwright.core.errors import ConfigError, ExportError, PairwrightError
from pairwright.core.exporter import NeedyExporter
from pairwright.pipelines.endpoint_servers import endpoints_in_use
from pairwright.pipelines.stage import Stage

T = TypeVar("T")


def require_all(stages: Iterable[Stage], config: BuildConfig) -> None:
    """Ask every stage and every export for what it needs: at the end of a build it is late to learn what is missing.

    Raises:
        ConfigError: something is missing; every problem of all of them is in it.
    """
    exports = enumerate(config.exports)
    _all_of(
        [
            *(partial(stage.require, config) for stage in stages),
            *(partial(_require_export, number, one) for number, one in exports if isinstance(one, NeedyExporter)),
        ]
    )


def _require_export(number: int, exporter: NeedyExporter) -> None:
    try:
        exporter.require()
    except ExportError as exc:
        raise ConfigError([f"exports.{number}: {exc.message}"], exc.hint) from exc


def _all_of(checks: Iterable[Callable[[], T]]) -> list[T]:
    """What the checks return; what is wrong with the build file is raised as one error, once all have been made."""
    found, errors, others = list[T](), list[ConfigError](), list[PairwrightError]()
    for check in checks:
        try:
            found.append(check())
        except ConfigError as exc:
            errors.append(exc)
        except PairwrightError as exc:
            others.append(exc)
    if others and not errors:
        raise others[0]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        hints = dict.fromkeys(one.hint for one in errors if one.hint)
        raise ConfigError([problem for one in errors for problem in one.problems], "\n".join(hints))
    return found


def check_endpoints(config: BuildConfig) -> Iterator[str]:
    """One line per endpoint that could be asked, and warnings; nothing is sent.

    Raises:
        ConfigError: environment variables with keys are not set, or hold what no key is.
        ModelError: an embedded endpoint lacks its server or weights.
    """
    yield from _all_of(partial(_reachable, name, one) for name, one in endpoints_in_use(config).items())
    yield from family_warnings(config)


def _reachable(name: str, endpoint: EndpointConfig) -> str:
    from pairwright.core.llm.embedded_server import weights
    from pairwright.core.llm.endpoint import key_problem

    if endpoint.use == "embedded":
        return f"endpoint {name}: {weights(name, endpoint).name} on this machine"
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
    return f"endpoint {name}: {endpoint.model} at {shown_url(endpoint.base_url or '')}, {known}"
