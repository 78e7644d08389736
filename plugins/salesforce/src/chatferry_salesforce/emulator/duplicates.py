"""Duplicate rules: a lead or a contact whose e-mail another one has is held up, or kept out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatferry_salesforce.emulator.errors import RecordError
from chatferry_salesforce.emulator.org import Org
from chatferry_salesforce.emulator.settings import DuplicateRule
from chatferry_salesforce.emulator.tables import ObjectType, Record

HEADER = "sforce-duplicate-rule-header"


def check_duplicates(
    org: Org,
    kind: ObjectType,
    record: Record | None,
    values: Mapping[str, Any],
    headers: Mapping[str, str],
) -> None:
    """Apply the org's rule to a record that is made, or whose e-mail changes.

    :raises RecordError: DUPLICATES_DETECTED, with the records that were found for a single one.
    """
    rule, email = org.settings.duplicates, values.get("Email")
    unchanged = record is not None and record.values.get("Email") == email
    if rule is DuplicateRule.OFF or kind.name not in {"Lead", "Contact"} or not email or unchanged:
        return
    if rule is DuplicateRule.ALERT and _allows(headers.get(HEADER, "")):
        return
    found = [
        each
        for name in ("lead", "contact")
        for each in org.objects[name].find("Email", email)
        if not each.deleted and each is not record and not each.values.get("IsConverted")
    ]
    if found:
        raise RecordError(
            "DUPLICATES_DETECTED",
            "Use one of these records?",
            more={"duplicateResut": _result(found, allow_save=rule is DuplicateRule.ALERT)},
        )


def _allows(header: str) -> bool:
    parts = {part.partition("=")[0].strip(): part.partition("=")[2].strip() for part in header.split(";")}
    return parts.get("allowSave", "").lower() == "true"


def _result(found: list[Record], *, allow_save: bool) -> dict[str, Any]:
    """Return what was found; Salesforce writes the name of this field so."""
    return {
        "allowSave": allow_save,
        "duplicateRule": "Standard_Duplicate_Rule",
        "duplicateRuleEntityType": found[0].kind,
        "errorMessage": "Use one of these records?",
        "matchResults": [
            {
                "entityType": one.kind,
                "errors": [],
                "matchEngine": "ExactMatchEngine",
                "matchRecords": [
                    {"matchConfidence": 100.0, "record": {"attributes": {"type": one.kind}, "Id": one.id}}
                ],
                "rule": "Standard_Matching_Rule",
                "size": 1,
                "success": True,
            }
            for one in found
        ],
    }
