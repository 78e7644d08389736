"""The objects of a new org, as far as they matter to leads (Salesforce's object reference)."""

from __future__ import annotations

from collections.abc import Iterable

from chatferry_salesforce.emulator.fields import Field, lookup, picklist, text
from chatferry_salesforce.emulator.ids import PREFIXES
from chatferry_salesforce.emulator.tables import ObjectType

LONG = 32_000
"""Characters of a standard description."""
LONGEST = 131_072
"""Characters of a long text area."""
VISITOR = "Chat_Visitor_Id__c"
CONVERSATION = "Conversation__c"

_SYSTEM = (
    Field(name="Id", type="id", length=18, writeable=False),
    Field(name="IsDeleted", type="boolean", writeable=False, default=False),
    Field(name="CreatedDate", type="datetime", writeable=False),
    Field(name="LastModifiedDate", type="datetime", writeable=False),
    Field(name="SystemModstamp", type="datetime", writeable=False),
)
_OWNER = lookup("OwnerId", ("User",), "Owner")


def _address(prefix: str = "") -> tuple[Field, ...]:
    return (
        Field(name=f"{prefix}Street", type="textarea"),
        text(f"{prefix}City", 40),
        text(f"{prefix}State", 80),
        text(f"{prefix}PostalCode", 20),
        text(f"{prefix}Country", 80),
    )


def _person() -> tuple[Field, ...]:
    return (
        text("FirstName", 40),
        text("LastName", 80, required=True),
        text("Salutation", 40),
        Field(name="Email", type="email", length=80),
        Field(name="Phone", type="phone", length=40),
        Field(name="MobilePhone", type="phone", length=40),
        text("Title", 128),
        picklist("LeadSource", "Web", "Phone Inquiry", "Partner Referral", "Other"),
        Field(name="Description", type="textarea", length=LONG),
        _OWNER,
    )


def _lead(*, person_accounts: bool) -> tuple[Field, ...]:
    return (
        *_person(),
        text("Company", 255, required=not person_accounts),
        Field(name="Website", type="url", length=255),
        *_address(),
        picklist("Status", "Open - Not Contacted", "Working - Contacted", default="Open - Not Contacted"),
        Field(name="IsConverted", type="boolean", writeable=False, default=False),
        lookup("ConvertedContactId", ("Contact",), "ConvertedContact", writeable=False),
        lookup("ConvertedAccountId", ("Account",), "ConvertedAccount", writeable=False),
        Field(name="Name", length=121, writeable=False),
    )


def _contact() -> tuple[Field, ...]:
    return (
        *_person(),
        lookup("AccountId", ("Account",), "Account"),
        *_address("Mailing"),
        Field(name="IsPersonAccount", type="boolean", writeable=False, default=False),
        Field(name="Name", length=121, writeable=False),
    )


def _account(*, person_accounts: bool) -> tuple[Field, ...]:
    shared = (
        text("Name", 255, required=not person_accounts),
        Field(name="Phone", type="phone", length=40),
        Field(name="Website", type="url", length=255),
        Field(name="Description", type="textarea", length=LONG),
        *_address("Billing"),
        _OWNER,
    )
    if not person_accounts:
        return shared
    return (
        *shared,
        text("FirstName", 40),
        text("LastName", 80),
        Field(name="PersonEmail", type="email", length=80),
        Field(name="PersonMobilePhone", type="phone", length=40),
        *_address("PersonMailing"),
        lookup("RecordTypeId", ("RecordType",), "RecordType"),
        lookup("PersonContactId", ("Contact",), "PersonContact", writeable=False),
        Field(name="IsPersonAccount", type="boolean", writeable=False, default=False),
    )


def _task() -> tuple[Field, ...]:
    return (
        lookup("WhoId", ("Contact", "Lead"), "Who"),
        lookup("WhatId", ("Account",), "What"),
        text("Subject", 255),
        Field(name="Description", type="textarea", length=LONG),
        picklist("Status", "Not Started", "In Progress", "Completed", default="Not Started", required=True),
        picklist("Priority", "High", "Normal", "Low", default="Normal", required=True),
        Field(name="ActivityDate", type="date"),
        picklist("TaskSubtype", "Task", "Email", "Call", default="Task"),
        _OWNER,
    )


def standard_objects(*, person_accounts: bool) -> Iterable[ObjectType]:
    """Return the objects of a new org."""
    listed: dict[str, tuple[Field, ...]] = {
        "Lead": _lead(person_accounts=person_accounts),
        "Contact": _contact(),
        "Account": _account(person_accounts=person_accounts),
        "Task": _task(),
        "User": (text("Username", 80), text("Name", 121), Field(name="Email", type="email", length=128)),
        "PermissionSet": (text("Name", 80), text("Label", 80)),
        "PermissionSetAssignment": (
            lookup("AssigneeId", ("User",), "Assignee", required=True),
            lookup("PermissionSetId", ("PermissionSet",), "PermissionSet", required=True),
        ),
        "RecordType": (text("Name", 80), text("DeveloperName", 80), text("SobjectType", 40)),
    }
    for name, fields in listed.items():
        yield ObjectType(name=name, prefix=PREFIXES[name], fields=(*_SYSTEM, *fields))


def custom_object(name: str, prefix: str, fields: Iterable[Field] = ()) -> ObjectType:
    """Return a custom object, which always has a name of its own."""
    return ObjectType(
        name=name, prefix=prefix, fields=(*_SYSTEM, text("Name", 80), _OWNER, *fields), custom=True
    )
