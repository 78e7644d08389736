"""What there is, and deploying more of it."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

SPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
PACKAGE = f'<?xml version="1.0"?><Package {SPACE}><version>66.0</version></Package>'
OBJECT = f"""<CustomObject {SPACE}>
<label>Conversation</label><pluralLabel>Conversations</pluralLabel>
<nameField><type>AutoNumber</type><label>Number</label></nameField>
<deploymentStatus>Deployed</deploymentStatus><sharingModel>ReadWrite</sharingModel>
<fields><fullName>Conversation_Id__c</fullName><label>Id</label><type>Text</type><length>80</length>
<externalId>true</externalId><unique>true</unique></fields>
<fields><fullName>Lead__c</fullName><label>Lead</label><type>Lookup</type><referenceTo>Lead</referenceTo></fields>
<fields><fullName>Transcript__c</fullName><label>Transcript</label><type>LongTextArea</type><length>131072</length></fields>
<fields><fullName>Channel__c</fullName><label>Channel</label><type>Picklist</type><valueSet><restricted>true</restricted>
<valueSetDefinition><value><fullName>Chat</fullName></value></valueSetDefinition></valueSet></fields>
</CustomObject>"""
LEAD = f"""<CustomObject {SPACE}><fields><fullName>Chat_Visitor_Id__c</fullName><label>Visitor</label>
<type>Text</type><length>120</length><externalId>true</externalId><unique>true</unique></fields></CustomObject>"""
PERMISSIONS = f"""<PermissionSet {SPACE}><label>Chatferry</label>
<objectPermissions><object>Conversation__c</object><allowRead>true</allowRead></objectPermissions>
<fieldPermissions><field>Conversation__c.Conversation_Id__c</field><readable>true</readable></fieldPermissions>
<fieldPermissions><field>Conversation__c.Channel__c</field><readable>true</readable></fieldPermissions>
<fieldPermissions><field>Lead.Chat_Visitor_Id__c</field><readable>true</readable></fieldPermissions>
</PermissionSet>"""
FILES = {
    "package.xml": PACKAGE,
    "objects/Conversation__c.object": OBJECT,
    "objects/Lead.object": LEAD,
    "permissionsets/Chatferry.permissionset": PERMISSIONS,
}


def zipped(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


def deploy(org, files, **options):
    """Deploy files and return the last result."""
    answer = org.session.post(
        f"{org.url}/services/data/v68.0/metadata/deployRequest",
        headers={"Authorization": f"Bearer {org.token}"},
        files={
            "json": (None, json.dumps({"deployOptions": options}), "application/json"),
            "file": ("deploy.zip", zipped(files), "application/zip"),
        },
        timeout=10,
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["deployResult"]["status"] == "Pending"
    path = f"/metadata/deployRequest/{answer.json()['id']}?includeDetails=true"
    assert org.call("GET", path).json()["deployResult"]["status"] == "InProgress"
    return org.call("GET", path).json()["deployResult"]


def assign(org, name="Chatferry"):
    (found,) = org.rows(f"SELECT Id FROM PermissionSet WHERE Name = '{name}'")
    (user,) = org.rows("SELECT Id FROM User")
    body = {"AssigneeId": user["Id"], "PermissionSetId": found["Id"]}
    return org.call("POST", "/sobjects/PermissionSetAssignment", body)


@pytest.fixture
def bare(start):
    return start(prepared=False)


def test_what_is_deployed_is_seen_once_its_permission_set_is_assigned(bare):
    result = deploy(bare, FILES)
    assert (result["status"], result["success"], result["numberComponentErrors"]) == ("Succeeded", True, 0)
    record = {"Conversation_Id__c": "c-1", "Channel__c": "Chat"}
    hidden = bare.upsert("Conversation__c", "Conversation_Id__c", record)
    assert hidden.status_code == 404
    assert assign(bare).status_code == 201
    shown = bare.upsert("Conversation__c", "Conversation_Id__c", record)
    assert shown.json()[0]["success"]
    ungranted = bare.upsert("Conversation__c", "Conversation_Id__c", {**record, "Transcript__c": "x"})
    assert "No such column 'Transcript__c'" in ungranted.json()[0]["message"]


def test_deploying_twice_changes_nothing(bare):
    deploy(bare, FILES)
    assign(bare)
    bare.upsert("Conversation__c", "Conversation_Id__c", {"Conversation_Id__c": "c-1"})
    assert deploy(bare, FILES)["success"]
    assert [one["Conversation_Id__c"] for one in bare.records("Conversation__c")] == ["c-1"]
    assert len(bare.rows("SELECT Id FROM PermissionSet")) == 1


def test_a_check_makes_nothing(bare):
    assert deploy(bare, FILES, checkOnly=True)["success"]
    assert bare.call("GET", "/_emulator/state").json()["fields"].get("Conversation__c") is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"package.xml": None}, "No package.xml found"),
        (
            {"objects/Conversation__c.object": OBJECT.replace("<label>Conversation</label>", "", 1)},
            "Required field is missing: label",
        ),
        ({"objects/Lead.object": LEAD.replace("<length>120</length>", "")}, "Must specify 'length'"),
        ({"objects/Lead.object": LEAD.replace("__c<", "<")}, "Custom field names must end with __c"),
        (
            {"objects/Lead.object": LEAD.replace("<type>Text</type>", "<type>Prose</type>")},
            "Unknown field type: Prose",
        ),
        ({"objects/Lead.object": "<CustomObject"}, "Error parsing file"),
        (
            {"permissionsets/Chatferry.permissionset": PERMISSIONS.replace("<label>Chatferry</label>", "")},
            "label",
        ),
    ],
)
def test_one_thing_that_is_wrong_keeps_everything_out(bare, change, problem):
    files = {name: text for name, text in {**FILES, **change}.items() if text is not None}
    result = deploy(bare, files)
    assert (result["status"], result["success"]) == ("Failed", False)
    assert problem in result["details"]["componentFailures"][0]["problem"]
    assert bare.call("GET", "/_emulator/state").json()["fields"]["Lead"] == []


def test_what_is_no_zip_and_what_is_no_form_are_refused(bare):
    answer = bare.call("POST", "/metadata/deployRequest", {})
    assert answer.json()[0]["errorCode"] == "INVALID_INPUT"
    assert bare.call("GET", "/metadata/deployRequest/0Af000000000000").status_code == 404


def test_a_restricted_picklist_takes_its_values_alone(bare):
    deploy(bare, FILES)
    assign(bare)
    answer = bare.upsert(
        "Conversation__c", "Conversation_Id__c", {"Conversation_Id__c": "c", "Channel__c": "Pigeon"}
    )
    (error,) = answer.json()[0]["errors"]
    assert error == {
        "statusCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "message": "Channel: bad value for restricted picklist field: Pigeon",
        "fields": ["Channel__c"],
    }


def test_describe_says_what_a_connector_has_to_know(org):
    described = org.call("GET", "/sobjects/Lead/describe").json()
    fields = {one["name"]: one for one in described["fields"]}
    assert fields["LastName"].items() >= {"length": 80, "nillable": False, "createable": True}.items()
    assert fields["Email"]["idLookup"]
    assert fields["IsConverted"]["updateable"] is False
    visitor = {"externalId": True, "unique": True, "caseSensitive": False, "length": 120, "custom": True}
    assert fields["Chat_Visitor_Id__c"].items() >= visitor.items()
    conversation = org.call("GET", "/sobjects/Conversation__c/describe").json()
    (lead,) = [one for one in conversation["fields"] if one["name"] == "Lead__c"]
    assert (lead["relationshipName"], lead["referenceTo"]) == ("Lead__r", ["Lead"])


def test_a_description_that_is_known_is_not_sent_again_until_it_changes(bare):
    first = bare.call("GET", "/sobjects/Lead/describe")
    since = {"If_Modified_Since": first.headers["Last-Modified"]}
    assert bare.call("GET", "/sobjects/Lead/describe", **since).status_code == 304
    bare.advance(60)
    deploy(bare, FILES)
    assert bare.call("GET", "/sobjects/Lead/describe", **since).status_code == 200


def test_objects_are_listed_and_one_that_is_not_there_is_a_404(org):
    names = {one["name"] for one in org.call("GET", "/sobjects").json()["sobjects"]}
    assert {"Lead", "Contact", "Account", "Task", "Conversation__c"} <= names
    assert org.call("GET", "/sobjects/Nothing/describe").status_code == 404
    assert "sobjects" in org.call("GET", "/").json()
