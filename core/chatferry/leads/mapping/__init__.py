"""The destination's field expressions: from a lead to the records of a CRM."""

from chatferry.leads.mapping.compiled import CompiledMapping, compile_mapping

__all__ = ["CompiledMapping", "compile_mapping"]
