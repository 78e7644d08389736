"""Converting a lead, as a salesperson does: it becomes a contact of an account and is read-only then."""

from __future__ import annotations

from chatferry_salesforce.emulator.catalogue import VISITOR
from chatferry_salesforce.emulator.errors import RecordError
from chatferry_salesforce.emulator.org import Org
from chatferry_salesforce.emulator.tables import Record
from chatferry_salesforce.emulator.writes import Writer

_TAKEN_OVER = ("FirstName", "LastName", "Email", "Phone", "MobilePhone", "Title", "LeadSource")


def convert(org: Org, lead: Record, contact: Record | None = None) -> tuple[Record, Record]:
    """Convert a lead and return the account and the contact, which may be there already.

    A lead without a company becomes a person account, where the org has them.

    :raises RecordError: if it is no lead that can be converted.
    """
    if lead.kind != "Lead" or lead.deleted or lead.values.get("IsConverted"):
        raise RecordError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    account, contact = (
        _person(org, lead, contact) if lead.values.get("Company") is None else _member(org, lead, contact)
    )
    converted = {
        "IsConverted": True,
        "ConvertedAccountId": account.id,
        "ConvertedContactId": contact.id,
        "Status": "Closed - Converted",
    }
    org.store(lead, {**lead.values, **converted})
    for task in org.objects["task"].records.values():
        if task.values.get("WhoId") == lead.id:  # standard activities follow, custom lookups do not
            org.store(task, {**task.values, "WhoId": contact.id})
    return account, contact


def _member(org: Org, lead: Record, contact: Record | None) -> tuple[Record, Record]:
    """Return a new account named as the lead's company, and the contact there."""
    writer = Writer(org)
    account = writer.create(org.objects["account"], {"Name": lead.values["Company"]})
    if contact is None:
        values = {name: lead.values[name] for name in _TAKEN_OVER if name in lead.values}
        contact = org.insert(org.objects["contact"], {**values, "OwnerId": org.user_id})
    visitor = {}
    if org.settings.maps_visitor and VISITOR in lead.values:
        visitor = {VISITOR: lead.values[VISITOR]}
    org.store(contact, {**contact.values, "AccountId": account.id, **visitor})
    return account, contact


def _person(org: Org, lead: Record, contact: Record | None) -> tuple[Record, Record]:
    """Return a new person account and its contact."""
    names: dict[str, str] = {"FirstName": "FirstName", "LastName": "LastName", "Email": "PersonEmail"}
    values = {of: lead.values[name] for name, of in names.items() if name in lead.values}
    account = Writer(org).create(org.objects["account"], values)
    made = contact or org.objects["contact"].records[account.values["PersonContactId"]]
    return account, made
