"""A small connector that passes the whole contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from marshmallow import Schema, fields

from chatferry.connector import Connector, Context, Finding, Level, Outcome
from chatferry.errors import (
    AuthFailure,
    DeliveryError,
    PermanentFailure,
    QuotaExhausted,
    RateLimited,
    TemporaryFailure,
)
from chatferry.isolation import isolate
from chatferry.model import FieldMode, Lead, Receipt, Record, Value
from chatferry.settings.secrets import SecretField
from chatferry.testing.sample.crm import KEY_FIELD, LIMITS, CrmAnswer, SampleCrm

Row = dict[str, Any]
Result = dict[str, Any]


class SampleSettings(Schema):
    """The settings of a destination of the sample CRM."""

    crm = fields.Raw(required=True)
    api_key = SecretField(required=True)
    timeout = fields.Float(load_default=5.0)


class SampleConnector(Connector):
    """Writes a contact and a conversation per lead, in batches, each by its key."""

    name = "sample"
    batch_size = 100
    timeout = 10.0
    Settings = SampleSettings
    mapping: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "contact": {"Name": "visitor.last_name", "Email": "visitor.email", "Company": "'unknown'"},
        "conversation": {"Subject": "conversation.project_name", "Transcript": "transcript"},
    }
    modes = frozenset(FieldMode)
    update_only = True

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        super().__init__(settings, context)
        self.crm: SampleCrm = settings["crm"]
        self.token = ""
        self.request_timeout: float | None = settings["timeout"]

    # ------------------------------------------------------------------ what the engine calls

    def deliver(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        """Write the contacts first, then the conversations of those that succeeded."""
        contacts = self.write("contact", [self.row(lead, "contact", lead.contact_key) for lead in leads])
        rows = []
        for lead in leads:
            contact = contacts[lead.contact_key]
            if not isinstance(contact, DeliveryError):
                rows.append({**self.row(lead, "conversation", lead.key), "contact": contact["id"]})
        conversations = self.write("conversation", rows)
        return [self.outcome(contacts[lead.contact_key], conversations.get(lead.key)) for lead in leads]

    def check(self) -> Sequence[Finding]:
        """Log in and list the objects."""
        try:
            objects = self.call(partial(self.crm.describe, timeout=self.request_timeout))["objects"]
        except DeliveryError as error:
            return [Finding(level=Level.ERROR, subject="account", message=str(error))]
        return [Finding(level=Level.OK, subject="objects", message=", ".join(objects))]

    def erase(self, receipts: Sequence[Receipt]) -> Sequence[Outcome]:
        """Remove the records; missing ones are no error."""
        for name in ("conversation", "contact"):
            ids = [receipt.ids[name] for receipt in receipts if name in receipt.ids]
            self.call(partial(self.crm.remove, name=name, ids=ids, timeout=self.request_timeout))
        return [Receipt(ids=receipt.ids) for receipt in receipts]

    # ------------------------------------------------------------------------ from and to rows

    def row(self, lead: Lead, name: str, key: str) -> Row:
        """Return what is sent for one object of a lead, with the notes of what was cut."""
        record = lead.records.get(name, Record())
        notes: list[str] = []
        return {
            "key": key,
            "update": lead.receipt.ids[name] if lead.update_only and lead.receipt else "",
            "values": self.fitted(name, record.values, notes),
            "fill_if_empty": self.fitted(name, record.fill_if_empty, notes),
            "create_only": self.fitted(name, record.create_only, notes),
            "notes": notes,
        }

    def fitted(self, name: str, values: Mapping[str, Value], notes: list[str]) -> dict[str, Any]:
        """Return values the CRM can store: valid text, no longer than the field."""
        fit: dict[str, Any] = {}
        for field, value in values.items():
            if field == KEY_FIELD:
                notes.append(f"{name}.{field} holds the key of the lead and was left as it is")
                continue
            fit[field] = self.text(value)
            limit = LIMITS[name].get(field)
            if limit and isinstance(fit[field], str) and len(fit[field]) > limit:
                fit[field] = fit[field][:limit]
                notes.append(f"{name}.{field} was cut to {limit} characters")
        return fit

    def text(self, value: Value) -> Any:
        """Return a value as JSON has it, without characters that UTF-8 cannot encode."""
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, str):
            return value.replace("\0", "").encode(errors="replace").decode()
        return value

    def outcome(
        self, contact: Result | DeliveryError, conversation: Result | DeliveryError | None
    ) -> Outcome:
        """Return the outcome of one lead: the first failure, or a receipt for both records."""
        if isinstance(contact, DeliveryError):
            return contact
        if conversation is None or isinstance(conversation, DeliveryError):
            return conversation or TemporaryFailure("the CRM did not say what became of the conversation")
        return Receipt(
            ids={"contact": contact["id"], "conversation": conversation["id"]},
            created=conversation["created"],
            notes=(*contact["notes"], *conversation["notes"]),
        )

    # ------------------------------------------------------------------------------- requests

    def write(self, name: str, rows: Sequence[Row]) -> dict[str, Result | DeliveryError]:
        """Write one object's rows; return a result or an error for every key."""
        merged: dict[str, Row] = {}
        for row in rows:
            earlier = merged.get(row["key"], {})
            values = {**earlier.get("values", {}), **row["values"]}
            merged[row["key"]] = {**earlier, **row, "values": values}
        if not merged:
            return {}
        found = self.send(name, list(merged.values()))
        return {key: self.result(name, row, found.get(key)) for key, row in merged.items()}

    def send(self, name: str, rows: Sequence[Row]) -> dict[str, Result]:
        """Send rows in one request; of a refused one, find the culprits."""

        def upsert(part: Sequence[Row]) -> Sequence[Result | None]:
            results = self.upsert(name, part)
            return [results.get(row["key"]) for row in part]

        sent = isolate(rows, upsert, stop=())  # what concerns the account is raised
        return {
            row["key"]: _refused(result) if isinstance(result, DeliveryError) else result
            for row, result in zip(rows, sent, strict=True)
            if result is not None
        }

    def upsert(self, name: str, rows: Sequence[Row]) -> dict[str, Result]:
        """Write rows in one request; return what the CRM says of each, by its key."""
        answer = self.call(partial(self.crm.upsert, name=name, rows=rows, timeout=self.request_timeout))
        return {result["key"]: result for result in answer["results"]}

    def result(self, name: str, row: Row, result: Result | None) -> Result | DeliveryError:
        """Return the CRM's result for a row, or what its error means."""
        if result is None:
            return TemporaryFailure(f"the CRM did not say what became of the {name}")
        if "error" not in result:
            return {**result, "notes": row["notes"]}
        if result["error"]["code"] == "MERGED":
            return self.write(name, [{**row, "id": result["into"]}])[row["key"]]
        return self.refusal(name, result["error"])

    def refusal(self, name: str, error: Mapping[str, Any]) -> DeliveryError:
        """Return the failure of one record; the CRM's message may echo what was sent."""
        code, crm_message = error["code"], error["message"]
        if code == "LOCKED":
            return TemporaryFailure(f"the {name} is locked", crm_message=crm_message, code=code)
        where = f"{name}.{error['field']}" if error.get("field") else f"the {name}"
        return PermanentFailure(f"{where} was refused: {code}", crm_message=crm_message, code=code)

    def call(self, request: Callable[[str], CrmAnswer]) -> dict[str, Any]:
        """Make a request with a token, a new one if the CRM asks for it."""
        try:
            answer = request(self.token)
            if answer.status == 401:  # noqa: PLR2004  (HTTP's number)
                self.token = self.login()
                answer = request(self.token)
        except OSError as error:
            raise TemporaryFailure(f"the CRM cannot be reached: {type(error).__name__}") from None
        return self.content(answer)

    def login(self) -> str:
        """Return a new token."""
        answer = self.crm.login(self.settings["api_key"].reveal())
        if answer.status != 200:  # noqa: PLR2004  (HTTP's number)
            raise AuthFailure("the CRM refuses the API key")
        return str(self.content(answer)["token"])

    def content(self, answer: CrmAnswer) -> dict[str, Any]:
        """Return the content of a 200; raise the failure of any other."""
        try:
            content = json.loads(answer.text)
        except ValueError:
            raise TemporaryFailure(f"the CRM answered {answer.status} without JSON") from None
        if answer.status == 200:  # noqa: PLR2004  (HTTP's number)
            return dict(content)
        raise self.failure(answer, content["error"], content["message"])

    def failure(self, answer: CrmAnswer, code: str, crm_message: str) -> DeliveryError:
        """Return the failure of a whole request for an answer that is not 200."""
        match answer.status:
            case 401 | 403:
                return AuthFailure(f"the CRM refuses the account: {code}", code=code)
            case 429 if code == "DAILY":
                return QuotaExhausted("today's calls are spent", code=code)
            case 429:
                wait = answer.headers.get("Retry-After")
                return RateLimited("too many calls", retry_after=float(wait) if wait else None, code=code)
            case 400:
                return PermanentFailure(
                    f"the request was refused: {code}", crm_message=crm_message, code=code
                )
        return TemporaryFailure(f"the CRM answered {answer.status}", code=code)


def _refused(error: DeliveryError) -> Result:
    """Return the result of a record whose whole request is refused because of it."""
    return {"error": {"code": error.code, "message": error.crm_message}}
