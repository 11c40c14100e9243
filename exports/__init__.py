"""The forms in which a build is written, by their names in a build file."""

from __future__ import annotations

from pairwright.core.components import Component
from pairwright.exports.card.data_card import CardExporter
from pairwright.exports.forms.jsonl import JsonlExporter
from pairwright.exports.forms.llamafactory import LlamaFactoryExporter
from pairwright.exports.forms.openai import OpenAIExporter
from pairwright.exports.forms.parquet import ParquetExporter
from pairwright.exports.forms.trl import TrlExporter

EXPORTERS: dict[str, type[Component]] = {
    CardExporter.name: CardExporter,
    JsonlExporter.name: JsonlExporter,
    LlamaFactoryExporter.name: LlamaFactoryExporter,
    OpenAIExporter.name: OpenAIExporter,
    ParquetExporter.name: ParquetExporter,
    TrlExporter.name: TrlExporter,
}
