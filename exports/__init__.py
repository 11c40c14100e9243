"""The forms in which a build is written, by their names in a build file."""

from __future__ import annotations

from collections.abc import Mapping

from pairwright.core.exporter import Exporter
from pairwright.exports.card.data_card import CardExporter
from pairwright.exports.forms.jsonl import JsonlExporter
from pairwright.exports.forms.llamafactory import LlamaFactoryExporter
from pairwright.exports.forms.openai import OpenAIExporter
from pairwright.exports.forms.parquet import ParquetExporter
from pairwright.exports.forms.trl import TrlExporter

_EXPORTERS: tuple[type[Exporter], ...] = (
    CardExporter,
    JsonlExporter,
    LlamaFactoryExporter,
    OpenAIExporter,
    ParquetExporter,
    TrlExporter,
)

EXPORTERS: Mapping[str, type[Exporter]] = {exporter.name: exporter for exporter in _EXPORTERS}
