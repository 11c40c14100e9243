"""Hostile source files: all cases. Names are unique; `halves.half` says which half a case belongs to."""

from __future__ import annotations

from hostile import source_json, source_packed, source_places, source_tables, source_text, source_values
from hostile.source_case import Case

CASES: tuple[Case, ...] = (
    *source_values.CASES,
    *source_json.CASES,
    *source_text.CASES,
    *source_tables.CASES,
    *source_packed.CASES,
    *source_places.CASES,
)
