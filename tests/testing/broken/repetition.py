"""Connectors that do something the second time, one defect each."""

from __future__ import annotations

from dataclasses import replace

from chatferry import Receipt
from chatferry.testing.sample import SampleConnector


class AlwaysCreates(SampleConnector):
    caught_by = "test_the_same_lead_twice_leaves_one_record"

    def row(self, lead, name, key):
        return {**super().row(lead, name, key), "create": True}


class CreatesWhatHasNoEmail(SampleConnector):
    caught_by = "test_the_same_lead_without_email_twice_leaves_one_record"

    def row(self, lead, name, key):
        return {**super().row(lead, name, key), "create": lead.email is None}


class CountsItsVisits(SampleConnector):
    caught_by = "test_pushing_twice_changes_nothing"
    visits = 0

    def row(self, lead, name, key):
        self.visits += 1
        row = super().row(lead, name, key)
        return {**row, "values": {**row["values"], "Visits": self.visits}}


class AlwaysNew(SampleConnector):
    caught_by = "test_a_record_is_said_to_be_new_once"

    def outcome(self, contact, conversation):
        outcome = super().outcome(contact, conversation)
        return replace(outcome, created=True) if isinstance(outcome, Receipt) else outcome


class RemembersInTheInstance(SampleConnector):
    caught_by = "test_a_restart_makes_no_second_record"

    def __init__(self, settings, context):
        super().__init__(settings, context)
        self.known = set()

    def row(self, lead, name, key):
        create = key not in self.known
        self.known.add(key)
        return {**super().row(lead, name, key), "create": create}


class BelievesReceipts(SampleConnector):
    caught_by = "test_an_earlier_receipt_is_not_needed_nor_believed_blindly"

    def deliver(self, leads):
        return [lead.receipt or super(BelievesReceipts, self).deliver([lead])[0] for lead in leads]


class WritesWhereTheReceiptPoints(SampleConnector):
    caught_by = "test_an_earlier_receipt_is_not_needed_nor_believed_blindly"

    def row(self, lead, name, key):
        row = super().row(lead, name, key)
        known = lead.receipt and lead.receipt.ids.get(name)
        return {**row, "id": known} if known in self.crm.tables[name] else row


class NeverUpdates(SampleConnector):
    caught_by = "test_changed_content_replaces_the_old"

    def row(self, lead, name, key):
        row = super().row(lead, name, key)
        return {**row, "values": {}} if self.crm.find(name, key) else row


class SendsNothingAsEmpty(SampleConnector):
    caught_by = "test_absent_fields_are_kept"

    def row(self, lead, name, key):
        row = super().row(lead, name, key)
        return {**row, "values": {"Notes": "", "Channel": "", **row["values"]}}


class NeverClears(SampleConnector):
    caught_by = "test_none_clears_its_field_and_no_other"

    def fitted(self, name, values, notes):
        return super().fitted(name, {f: v for f, v in values.items() if v is not None}, notes)


class ContactForEachConversation(SampleConnector):
    caught_by = "test_two_conversations_of_one_visitor_are_one_contact"

    def deliver(self, leads):
        return super().deliver([replace(lead, contact_key=lead.key) for lead in leads])


class FillsOver(SampleConnector):
    caught_by = "test_fill_if_empty_keeps_what_is_there"

    def row(self, lead, name, key):
        row = super().row(lead, name, key)
        return {**row, "values": {**row["values"], **row["fill_if_empty"]}}


class FillsNewRecordsOnly(SampleConnector):
    caught_by = "test_fill_if_empty_fills_what_is_empty"

    def row(self, lead, name, key):
        row = super().row(lead, name, key)
        return {**row, "create_only": row["fill_if_empty"], "fill_if_empty": {}}


class CreatesLate(SampleConnector):
    caught_by = "test_create_only_writes_when_the_record_is_made_and_never_again"

    def row(self, lead, name, key):
        row = super().row(lead, name, key)
        return {**row, "fill_if_empty": row["create_only"], "create_only": {}}
