"""A destination's field mapping: checked and compiled once, then applied to every lead."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jinja2 import Undefined
from jinja2.environment import TemplateExpression

from chatferry.errors import MappingError, SettingsError
from chatferry.leads.mapping.checks import problems_of
from chatferry.leads.mapping.expressions import Expressions, context_of
from chatferry.leads.mapping.filters import join
from chatferry.model import FieldMode, Lead, Record, Value

if TYPE_CHECKING:
    from chatferry.settings.model import FieldSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """One mapped field; ``place`` is the index of its expression among the distinct ones."""

    object: str
    name: str
    settings: FieldSettings
    place: int


def compile_mapping(
    fields: Mapping[str, Mapping[str, FieldSettings]], *, destination: str
) -> CompiledMapping:
    """Check and compile the fields of a destination, per object of the CRM.

    :raises SettingsError: with every problem, naming destination, object, field and expression.
    """
    language = Expressions()
    problems = [
        f'destination "{destination}", {object_name}.{name}: {problem}'
        for object_name, named in fields.items()
        for name, settings in named.items()
        for problem in (*problems_of(settings.expression, language), *_contradictions(settings))
    ]
    if problems:
        raise SettingsError(*problems)
    return CompiledMapping(fields, destination=destination, language=language)


def _contradictions(settings: FieldSettings) -> Iterator[str]:
    if settings.clear and settings.mode is not FieldMode.OVERWRITE:
        yield f'a field that is cleared is overwritten; leave out clear or mode = "{settings.mode}"'


class CompiledMapping:
    """A destination's compiled mapping; thread-safe. See :func:`compile_mapping`."""

    def __init__(
        self,
        fields: Mapping[str, Mapping[str, FieldSettings]],
        *,
        destination: str,
        language: Expressions,
    ) -> None:
        self.destination = destination
        self._language = language
        self._objects = tuple(fields)
        sources = dict.fromkeys(f.expression for named in fields.values() for f in named.values())
        places = {source: place for place, source in enumerate(sources)}
        self._fields = tuple(
            _Field(object=object_name, name=name, settings=settings, place=places[settings.expression])
            for object_name, named in fields.items()
            for name, settings in named.items()
        )
        self._all = self._compile(tuple(sources))

    def records(self, lead: Lead) -> dict[str, Record]:
        """Return the CRM records of a lead, empty values left out; its own ``records`` are ignored.

        :raises MappingError: naming the field whose expression fails, never a value.
        """
        values = self._values(lead)
        groups: dict[str, dict[FieldMode, dict[str, Value]]] = {
            name: {mode: {} for mode in FieldMode} for name in self._objects
        }
        for field in self._fields:
            value = self._converted(field, values[field.place])
            if value is not None or field.settings.clear:
                groups[field.object][field.settings.mode][field.name] = value
        return {name: _record(group) for name, group in groups.items()}

    def _compile(self, sources: Sequence[str]) -> TemplateExpression:
        return self._language.bind([self._language.read(source) for source in sources])

    def _values(self, lead: Lead) -> list[Any]:
        context = context_of(lead)
        try:
            return list(self._all(context) or ())
        except Exception as error:  # noqa: BLE001  (an expression may fail in any way)
            raise self._culprit(context, error) from None

    def _culprit(self, context: Mapping[str, Any], error: Exception) -> MappingError:
        """Evaluate the fields one by one to name the one that fails."""
        field = self._fields[0]
        for field in self._fields:
            try:
                self._compile([field.settings.expression])(context)
            except Exception as own:  # noqa: BLE001  (an expression may fail in any way)
                return self._failure(field, type(own).__name__)
        return self._failure(field, type(error).__name__)

    def _converted(self, field: _Field, value: Any) -> Value:
        try:
            return _value(value)
        except TypeError:
            raise self._failure(field, f"a {type(value).__name__} where one value is needed") from None

    def _failure(self, field: _Field, reason: str) -> MappingError:
        return MappingError(
            self.destination, f"{field.object}.{field.name}", field.settings.expression, reason
        )


def _record(group: Mapping[FieldMode, Mapping[str, Value]]) -> Record:
    return Record(
        values=group[FieldMode.OVERWRITE],
        fill_if_empty=group[FieldMode.FILL_IF_EMPTY],
        create_only=group[FieldMode.CREATE_ONLY],
    )


def _value(value: Any) -> Value:
    """Return a value that a record may hold; None if it is empty.

    :raises TypeError: if it is neither a value nor a list of them.
    """
    if isinstance(value, str):
        return value.strip() or None
    if value is None or isinstance(value, (bool, int, datetime)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Undefined):
        return None
    if isinstance(value, (list, tuple, set, frozenset)):
        return join([_value(item) for item in value]) or None
    raise TypeError
