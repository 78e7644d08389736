"""Person accounts: an account that is a person has a contact of its own, which only the account changes."""

from __future__ import annotations

from chatferry_salesforce.emulator.errors import RecordError
from chatferry_salesforce.emulator.org import Org
from chatferry_salesforce.emulator.tables import Record

_OF_CONTACT = {
    "FirstName": "FirstName",
    "LastName": "LastName",
    "PersonEmail": "Email",
    "PersonMobilePhone": "MobilePhone",
    "Phone": "Phone",
}


def keep_person(org: Org, account: Record) -> None:
    """Keep the contact of a person account as the account is."""
    if account.kind != "Account" or not org.settings.person_accounts or not account.values.get("LastName"):
        return
    contacts = org.objects["contact"]
    values = {
        name: account.values[of] for of, name in _OF_CONTACT.items() if account.values.get(of) is not None
    }
    values |= {
        f"{name.removesuffix('__pc')}__c": value
        for name, value in account.values.items()
        if name.endswith("__pc")
    }
    values |= {"AccountId": account.id, "IsPersonAccount": True, "OwnerId": org.user_id}
    known = account.values.get("PersonContactId")
    if known in contacts.records:
        org.store(contacts.records[known], {**contacts.records[known].values, **values})
        return
    contact = org.insert(contacts, values)
    name = " ".join(filter(None, (account.values.get("FirstName"), account.values["LastName"])))
    more = {"IsPersonAccount": True, "PersonContactId": contact.id, "Name": name}
    org.store(account, {**account.values, **more})


def refuse_person_contact(record: Record) -> None:
    """Refuse a change of a person account's contact.

    :raises RecordError: if it is one.
    """
    if record.kind == "Contact" and record.values.get("IsPersonAccount"):
        message = "entity type cannot be updated: Contact of a person account"
        raise RecordError("INVALID_TYPE_FOR_OPERATION", message)
