"""The objects and fields that leads are written to, for an org that starts with them."""

from __future__ import annotations

from typing import Final

from chatferry_salesforce.emulator.catalogue import CONVERSATION, LONGEST, VISITOR, custom_object
from chatferry_salesforce.emulator.fields import Field, lookup, picklist, text
from chatferry_salesforce.emulator.org import Org

PERMISSION_SET: Final = "Chatferry"
TASK_KEY: Final = "Chat_Conversation_Id__c"


def _conversation() -> tuple[Field, ...]:
    return (
        text("Conversation_Id__c", 80, external_id=True, unique=True, custom=True),
        lookup("Lead__c", ("Lead",), "Lead__r", custom=True),
        lookup("Contact__c", ("Contact",), "Contact__r", custom=True),
        picklist("Channel__c", custom=True),
        text("Subject__c", 255, custom=True),
        text("Language__c", 20, custom=True),
        Field(name="Started_At__c", type="datetime", custom=True),
        Field(name="Closed_At__c", type="datetime", custom=True),
        Field(name="Satisfaction__c", type="double", custom=True),
        Field(name="Transcript__c", type="textarea", length=LONGEST, custom=True),
    )


def prepare(org: Org) -> None:
    """Make them, and let the integration user see them."""
    fields = _conversation()
    org.objects[CONVERSATION.lower()] = custom_object(CONVERSATION, "a00", fields)
    visitor = text(VISITOR, 120, external_id=True, unique=True, custom=True)
    for name in ("lead", "contact"):
        org.objects[name].add_field(visitor, 0.0)
    org.objects["task"].add_field(text(TASK_KEY, 80, external_id=True, unique=True, custom=True), 0.0)
    granted = {(CONVERSATION, one.name) for one in fields} | {(CONVERSATION, "")}
    granted |= {("Lead", VISITOR), ("Contact", VISITOR), ("Task", TASK_KEY)}
    if org.settings.person_accounts:
        mirrored = text(VISITOR.replace("__c", "__pc"), 120, external_id=True, unique=True, custom=True)
        org.objects["account"].add_field(mirrored, 0.0)
        granted.add(("Account", mirrored.name))
    org.grants[PERMISSION_SET] = frozenset(granted)
    found = org.insert(org.objects["permissionset"], {"Name": PERMISSION_SET, "Label": PERMISSION_SET})
    org.insert(
        org.objects["permissionsetassignment"],
        {"AssigneeId": org.user_id, "PermissionSetId": found.id},
    )
    org.grant()
