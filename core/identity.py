"""How rows get their ids, and the one source of randomness.

An id is a hash of content under the names that the row types list in ``hashed``. They are the names that fields have in
the files of a build: an attribute that is renamed, with its old name as alias, changes no id.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError

from pairwright.core.untrusted_json import well_formed_value


def content_id(content: object) -> str:
    """Sixteen hex digits that name ``content``: SHA-256 over its canonical JSON (sorted keys, no spaces)."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
    # Texts of sources may hold lone surrogates, which UTF-8 refuses; they need an id, too.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _plain(value: object) -> object:
    if isinstance(value, Row):
        return value.identity()
    raise TypeError(f"no canonical form for {type(value).__name__}")


def row_rng(seed: int, stage: str, row_id: str) -> random.Random:
    """The only source of randomness: a generator that depends on nothing but ``(seed, stage, row_id)``."""
    digest = hashlib.sha256(f"{seed}\x1f{stage}\x1f{row_id}".encode()).digest()
    return random.Random(int.from_bytes(digest[:16], "big"))


RowType = TypeVar("RowType", bound="Row")


class Row(BaseModel):
    """Base of every row: frozen, unknown keys forbidden.

    ``hashed`` lists the fields that enter ids, by their names in files; it stays as it is when attributes are renamed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)
    hashed: ClassVar[tuple[str, ...]] = ()

    def model_dump_json(self, **options: Any) -> str:
        """The row as JSON text; lone surrogates, which no file in UTF-8 can hold, are U+FFFD in it."""
        try:
            return super().model_dump_json(**options)
        except (PydanticSerializationError, UnicodeEncodeError):
            indent, escaped = options.pop("indent", None), options.pop("ensure_ascii", False)
            content = well_formed_value(self.model_dump(mode="json", **options))
            separators = (",", ":") if indent is None else None
            return json.dumps(content, ensure_ascii=escaped, indent=indent, separators=separators)

    def identity(self) -> Any:
        """What stands for this row in the ids of rows that contain it.

        Raises:
            TypeError: the row's type does not list its fields in ``hashed``.
        """
        if not self.hashed:
            raise TypeError(f"{type(self).__name__}.hashed lists no fields")
        content = {}
        for name in self.hashed:
            attribute, absent = _attributes(type(self))[name]
            value = getattr(self, attribute)
            if absent is None or not absent(value):
                content[name] = value
        return content


@cache
def _attributes(kind: type[Row]) -> dict[str, tuple[str, Callable[[Any], bool] | None]]:
    """The attribute behind each name in files, and what says that a value is left out there."""
    return {field.alias or name: (name, field.exclude_if) for name, field in kind.model_fields.items()}


def in_order_of_hashes(row_type: type[RowType]) -> type[RowType]:
    """Decorator: the fields of a row stand in files in the order of ``hashed``, behind its id, wherever they are declared.

    Without it those that a row type inherits come first, and a field that moves to a base would change every file.
    """
    fields, names = row_type.__pydantic_fields__, _attributes(row_type)
    ordered = ["id", *(names[name][0] for name in row_type.hashed)]
    row_type.__pydantic_fields__ = {name: fields[name] for name in ordered}
    # pydantic made the serialiser when the class was made, in the old order.
    row_type.model_rebuild(force=True)
    return row_type


class IdentifiedRow(Row):
    """A row with an ``id`` made from its content."""

    id: str

    @classmethod
    def create(cls, **fields: Any) -> Self:
        """Build the row, from fields by the names of its attributes, and give it the id that they hash to."""
        if unknown := fields.keys() - cls.model_fields.keys():
            raise TypeError(f"{cls.__name__} has no {', '.join(sorted(unknown))}")
        attributes = _attributes(cls)
        # Only what was given: a field that a row type gets later, and that is left at its default, changes no id.
        given = {name: attributes[name][0] for name in cls.hashed if attributes[name][0] in fields}
        return cls(id=content_id({name: fields[attribute] for name, attribute in given.items()}), **fields)

    def identity(self) -> str:
        """The id: it stands for the whole content."""
        return self.id
