"""The forms in which a build is written, by their names in a build file."""

from __future__ import annotations

from pairwright.core.components import Component
from pairwright.exports.card import CardExporter
from pairwright.exports.jsonl import JsonlExporter
from pairwright.exports.llamafactory import LlamaFactoryExporter
from pairwright.exports.openai import OpenAIExporter
from pairwright.exports.parquet import ParquetExporter
from pairwright.exports.trl import TrlExporter

EXPORTERS: dict[str, type[Component]] = {
    CardExporter.name: CardExporter,
    JsonlExporter.name: JsonlExporter,
    LlamaFactoryExporter.name: LlamaFactoryExporter,
    OpenAIExporter.name: OpenAIExporter,
    ParquetExporter.name: ParquetExporter,
    TrlExporter.name: TrlExporter,
}
