"""The language of field expressions: Jinja2's sandbox, which reads the classes of the model only."""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Union, get_args, get_origin, get_type_hints

from jinja2 import Undefined, nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import TemplateSyntaxError
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from chatferry.leads.mapping.bounds import TooLarge, check_method, check_operator
from chatferry.leads.mapping.empty import EMPTY, Empty, Lookup
from chatferry.leads.mapping.filters import FILTERS
from chatferry.model import (
    Attachment,
    Author,
    Conversation,
    Lead,
    Message,
    Satisfaction,
    Transaction,
    Visitor,
)

_HIDDEN = frozenset({"raw"})
"""iAdvize's own answer is never stored, so no field may hold it."""

_PROPERTIES: Mapping[type, Mapping[str, type]] = {Conversation: {"key": str, "answered": bool}}


def _readable_type(hint: Any) -> type | None:
    """Return the type that an expression reads where the model has ``hint``; None if it cannot be known."""
    if get_origin(hint) in {Union, types.UnionType}:
        known = [kind for kind in get_args(hint) if kind is not types.NoneType]
        return _readable_type(known[0]) if len(known) == 1 else None
    if get_origin(hint) is not None:
        return Lookup if issubclass(get_origin(hint), Mapping) else None
    return hint if isinstance(hint, type) else None


def _shape(kind: type) -> Mapping[str, type | None]:
    hints = get_type_hints(kind)
    shown = {f.name: _readable_type(hints[f.name]) for f in fields(kind) if f.name not in _HIDDEN}
    return {**shown, **_PROPERTIES.get(kind, {})}


SHAPES: Mapping[type, Mapping[str, type | None]] = {
    Lead: {"key": str, "contact_key": str, "email": str},
    **{
        kind: _shape(kind)
        for kind in (Attachment, Author, Conversation, Message, Satisfaction, Transaction, Visitor)
    },
}
"""The attributes of each class that an expression may read, with their types."""

NAMES: Mapping[str, type] = {
    "answers": Lookup,
    "conversation": Conversation,
    "email": str,
    "lead": Lead,
    "transcript": str,
    "visitor": Visitor,
}
"""The names an expression may start with."""

_NOTHING = "_nothing"
"""The value of an ``if`` without an ``else``; expressions cannot use the name, see ``NAMES``."""


def context_of(lead: Lead) -> dict[str, Any]:
    """Return the names and values of a lead for expressions."""
    return {
        "answers": Lookup({name: answer.value for name, answer in lead.answers.items()}),
        "conversation": lead.conversation,
        "email": lead.email or EMPTY,
        "lead": lead,
        _NOTHING: EMPTY,
        "transcript": lead.transcript,
        "visitor": lead.visitor,
    }


class Expressions(SandboxedEnvironment):
    """Jinja2's sandbox without globals, with chatferry's filters, and with the empty value for None."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=Empty)
        self.globals.clear()
        self.filters = dict(FILTERS)
        self.tests["none"] = lambda value: value is None or isinstance(value, Undefined)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read an attribute: of the model's classes those in ``SHAPES``, else as the sandbox does."""
        shape = SHAPES.get(type(obj))
        if shape is not None:
            return _with_empty(getattr(obj, attribute)) if attribute in shape else EMPTY
        if type(obj) is Lookup:
            return _with_empty(obj.get(attribute))
        return _with_empty(super().getattr(obj, attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Read an item; of the model's classes and of named values it is the same as an attribute."""
        if type(obj) is Lookup:
            return _with_empty(obj.get(argument))
        if type(obj) in SHAPES:
            return self.getattr(obj, str(argument))
        return _with_empty(super().getitem(obj, argument))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Carry out an operation whose result is of a reasonable size."""
        check_operator(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: N805  (as Jinja2 has it)
        """Call a method whose result is of a reasonable size."""
        text = getattr(__obj, "__self__", None)
        if isinstance(text, str):
            check_method(text, getattr(__obj, "__name__", ""), args)
        return super().call(__context, __obj, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Refuse ``format``, whose widths may be computed."""
        if super().wrap_str_format(value) is not None:
            raise TooLarge("format is not available; join texts with ~, or use %")
        return None

    def read(self, source: str) -> nodes.Expr:
        """Return the syntax tree of an expression.

        :raises TemplateSyntaxError: if it is none.
        """
        parser = Parser(self, source, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            token = parser.stream.current
            raise TemplateSyntaxError(f'"{token.value}" is not expected', token.lineno)
        return expression

    def bind(self, expressions: Sequence[nodes.Expr]) -> TemplateExpression:
        """Compile several expressions into one that returns the list of their values.

        One call needs one context instead of one a field, which is most of the cost of a field.
        """
        result = nodes.Name("result", "store")
        values = nodes.List(list(expressions), lineno=1)
        for choice in values.find_all(nodes.CondExpr):
            choice.expr2 = choice.expr2 or nodes.Name(_NOTHING, "load")
        values.set_environment(self)
        body: list[nodes.Node] = [nodes.Assign(result, values, lineno=1)]
        with warnings.catch_warnings():
            # An item of a number fails on the lead, with the field's name; the compiler's warning has none.
            warnings.simplefilter("ignore", SyntaxWarning)
            template = self.from_string(nodes.Template(body, lineno=1))
        return TemplateExpression(template, undefined_to_none=False)


def _with_empty(value: Any) -> Any:
    if value is None:
        return EMPTY
    if isinstance(value, Mapping):
        return Lookup(value)
    return value
