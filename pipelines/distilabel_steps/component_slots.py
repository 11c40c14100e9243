"""Slots of distilabel steps, filled as those of a build file are: ``{"use": NAME, ...}`` names a component.

distilabel writes a pipeline as YAML and reads its steps back as plain mappings. A step with these slots then has its
components again, those inside a panel too.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError, model_validator

from pairwright.core.config.slots import Slot, slot_in
from pairwright.pipelines.catalogues import CATALOGUES


class ComponentSlots(BaseModel):
    """What a step with slots derives from, before its distilabel base."""

    @model_validator(mode="before")
    @classmethod
    def _fill_slots(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values  # an assignment to a field of a finished step
        return {name: _filled(cls._slot(name), value) for name, value in values.items()}

    @classmethod
    def _slot(cls, name: str) -> Slot | None:
        field = cls.model_fields.get(name)
        return None if field is None else slot_in(field.rebuild_annotation())

    def _model_dump(self, obj: Any, **kwargs: Any) -> dict[str, Any]:
        """What distilabel serialises: as JSON, since its YAML would name Python types for tuples."""
        dumped: dict[str, Any] = super()._model_dump(obj, **{**kwargs, "mode": "json"})  # type: ignore[misc]
        return dumped


def _filled(slot: Slot | None, value: Any) -> Any:
    if slot is None:
        return value
    if isinstance(value, list | tuple):
        return [_filled(slot, item) for item in value]
    if not isinstance(value, dict):
        return value
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(Annotated[slot.takes, slot])
        return adapter.validate_python(value, context={"catalogues": CATALOGUES})
    except ValidationError as exc:
        raise ValueError("; ".join(error["msg"] for error in exc.errors())) from None
