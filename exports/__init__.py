"""The forms in which a build is written, by their names in a build file."""

from __future__ import annotations

from pairwright.core.components import Component
from pairwright.exports.jsonl import JsonlExporter
from pairwright.exports.llamafactory import LlamaFactoryExporter

EXPORTERS: dict[str, type[Component]] = {
    JsonlExporter.name: JsonlExporter,
    LlamaFactoryExporter.name: LlamaFactoryExporter,
}
