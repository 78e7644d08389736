"""Connectors that spoil what a lead holds, one defect each."""

# ruff: noqa: ARG002  (they override methods and ignore what they should not)

from __future__ import annotations

import html
from dataclasses import replace

from chatferry import PermanentFailure, Receipt, TemporaryFailure
from chatferry.testing.sample import SampleConnector
from chatferry.testing.sample.crm import LIMITS


class EverythingIsText(SampleConnector):
    caught_by = "test_read_back_equals_what_was_sent"

    def text(self, value):
        return str(super().text(value))


class SwappedIds(SampleConnector):
    caught_by = "test_a_receipt_names_the_records"

    def outcome(self, contact, conversation):
        outcome = super().outcome(contact, conversation)
        ids = {"contact": conversation["id"], "conversation": contact["id"]}
        return replace(outcome, ids=ids) if isinstance(outcome, Receipt) else outcome


class NeedsAClosedConversation(SampleConnector):
    caught_by = "test_the_poorest_lead_is_delivered"

    def row(self, lead, name, key):
        row = super().row(lead, name, key)
        return {**row, "closed": lead.conversation.closed_at.isoformat()}


class OneAnonymousContact(SampleConnector):
    caught_by = "test_a_lead_without_email_is_delivered"

    def deliver(self, leads):
        return super().deliver([replace(lead, contact_key=lead.email or "unknown") for lead in leads])


class ForgetsTheLink(SampleConnector):
    caught_by = "test_the_conversation_names_its_contact"

    def send(self, name, rows):
        return super().send(name, [{**row, "contact": None} for row in rows])


class EscapesMarkup(SampleConnector):
    caught_by = "test_hostile_text_is_kept"

    def text(self, value):
        return html.escape(super().text(value)) if isinstance(value, str) else super().text(value)


class TidiesLineEnds(SampleConnector):
    caught_by = "test_hostile_text_is_kept"

    def text(self, value):
        return "\n".join(value.splitlines()) if isinstance(value, str) else super().text(value)


class CannotEncode(SampleConnector):
    caught_by = "test_unstorable_text_is_replaced_or_refused"

    def text(self, value):
        return value.encode().decode() if isinstance(value, str) else super().text(value)


class CutsInSilence(SampleConnector):
    caught_by = "test_a_transcript_of_200_000_characters_is_kept_or_cut_and_said"

    def fitted(self, name, values, notes):
        return super().fitted(name, values, [])


class EmptiesLongFields(SampleConnector):
    caught_by = "test_a_very_long_name_is_kept_cut_and_said_or_refused"

    def fitted(self, name, values, notes):
        fit = super().fitted(name, values, notes)
        return {field: "" if notes and field == "Name" else value for field, value in fit.items()}


class CountsBytes(SampleConnector):
    caught_by = "test_a_text_of_exactly_the_limit_fits"

    def fitted(self, name, values, notes):
        fit = super().fitted(name, values, notes)
        for field, limit in LIMITS[name].items():
            if len(str(fit.get(field, "")).encode()) > limit:
                fit[field] = fit[field].encode()[:limit].decode(errors="ignore")
                notes.append(f"{field} was cut")
        return fit


class RetriesTooLongForEver(SampleConnector):
    caught_by = "test_a_text_beyond_the_limit_is_cut_and_said_or_refused_by_name"

    def fitted(self, name, values, notes):
        return {field: self.text(value) for field, value in values.items()}

    def refusal(self, name, error):
        return TemporaryFailure("the CRM refused the record", crm_message=error["message"])


class SaysTooLongWithoutAName(SampleConnector):
    caught_by = "test_a_text_beyond_the_limit_is_cut_and_said_or_refused_by_name"

    def fitted(self, name, values, notes):
        return {field: self.text(value) for field, value in values.items()}

    def refusal(self, name, error):
        return PermanentFailure("the CRM refused the record", crm_message="something is too long")
