"""Licences that cannot be combined are found before anything is paid for."""

from __future__ import annotations

from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import ConfigError
from pairwright.exports.publishing.licences import combined


def require_combinable(config: BuildConfig) -> None:
    """Check that a data set may be made of all sources together, as far as a program can tell.

    Raises:
        ConfigError: it may not, and ``allow_licences`` does not say otherwise; names the sources.
    """
    sources = [source.model_dump(mode="json") for source in config.sources]
    # A source of another package need have neither a name nor a licence.
    problems = combined({one.get("source", one["use"]): one.get("licence", "") for one in sources}).problems
    if problems and not config.allow_licences:
        raise ConfigError(
            [f"sources: {problem}" for problem in problems],
            "Leave a source out, correct its 'licence', or set allow_licences: true (--allow-licence) if you know that "
            "you may; the build then records it.",
        )
