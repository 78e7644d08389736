"""What connectors write: records with fields by sync mode, each with its result as soon as that is known."""

from chatferry.records.draft import Draft, Result, Written, is_account_wide, open_drafts, settle, stopped_by
from chatferry.records.fields import Fields, fold
from chatferry.records.writing import write_folded, write_repaired

__all__ = [
    "Draft",
    "Fields",
    "Result",
    "Written",
    "fold",
    "is_account_wide",
    "open_drafts",
    "settle",
    "stopped_by",
    "write_folded",
    "write_repaired",
]
