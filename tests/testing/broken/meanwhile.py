"""Connectors that are not careful with validation, changes, threads or erasure, one defect each."""

# ruff: noqa: ARG002  (they override methods and ignore what they should not)

from __future__ import annotations

import threading
from dataclasses import replace

from chatferry import PermanentFailure, Receipt, Record, TemporaryFailure
from chatferry.testing.sample import SampleConnector
from chatferry.testing.sample.crm import FIELDS, KEY_FIELD


class NamesNoField(SampleConnector):
    caught_by = "test_a_missing_required_field_is_refused_by_name"

    def refusal(self, name, error):
        return PermanentFailure(f"the {name} was refused", crm_message="something is missing")


class DropsValuesInSilence(SampleConnector):
    caught_by = "test_a_value_outside_the_list_is_refused_by_name_or_left_out_and_said"

    def fitted(self, name, values, notes):
        return {f: v for f, v in super().fitted(name, values, notes).items() if v != "nonsense"}


class WritesByOldIds(SampleConnector):
    caught_by = "test_a_deleted_record_is_made_anew_or_refused"

    def outcome(self, contact, conversation):
        return super().outcome(contact, conversation)

    def deliver(self, leads):
        outcomes = super().deliver(leads)
        return [
            replace(outcome, ids=lead.receipt.ids)
            if lead.receipt and isinstance(outcome, Receipt)
            else outcome
            for lead, outcome in zip(leads, outcomes, strict=True)
        ]


class LosesUnknownFields(SampleConnector):
    caught_by = "test_a_field_the_crm_does_not_have_is_refused_by_name_left_out_and_said_or_made"

    def fitted(self, name, values, notes):
        return {f: v for f, v in super().fitted(name, values, notes).items() if f in FIELDS[name]}


class WritesItsOwnKey(SampleConnector):
    caught_by = "test_a_mapping_that_writes_the_key_takes_no_record_its_key"

    def fitted(self, name, values, notes):
        fit = super().fitted(name, values, notes)
        return {**fit, **({KEY_FIELD: values[KEY_FIELD]} if KEY_FIELD in values else {})}


class WaitsForTheArchive(SampleConnector):
    caught_by = "test_an_archived_record_is_restored_made_anew_or_refused"

    def refusal(self, name, error):
        if error["code"] == "ARCHIVED":
            return TemporaryFailure(f"the {name} is in the archive")
        return super().refusal(name, error)


class BringsBackTheMerged(SampleConnector):
    caught_by = "test_a_merged_record_is_not_brought_back"
    code = "MERGED"

    def result(self, name, row, result):
        if result and result.get("error", {}).get("code") == self.code:
            return self.write(name, [{**row, "key": f"{row['key']}-2"}])[f"{row['key']}-2"]
        return super().result(name, row, result)


class BringsBackTheConverted(BringsBackTheMerged):
    caught_by = "test_a_converted_record_is_left_alone"
    code = "CONVERTED"


class FindsNothing(SampleConnector):
    caught_by = "test_check_finds_nothing_wrong_with_a_good_account"

    def check(self):
        return []


class ChecksByWriting(SampleConnector):
    caught_by = "test_check_writes_nothing"

    def check(self):
        row = {"key": "probe", "values": {"Company": "probe"}, "fill_if_empty": {}, "create_only": {}}
        self.write("contact", [{**row, "notes": []}])
        return super().check()


class TakesLeadsApart(SampleConnector):
    caught_by = "test_leads_are_not_changed"

    def row(self, lead, name, key):
        row = super().row(lead, name, key)
        lead.records[name].values.pop("Notes", None)
        return row


class OneThreadOnly(SampleConnector):
    caught_by = "test_it_can_be_used_in_another_thread"

    def __init__(self, settings, context):
        super().__init__(settings, context)
        self.local = threading.local()
        self.local.crm = self.crm

    def send(self, name, rows):
        assert self.local.crm
        return super().send(name, rows)


class LocksTheAccount(SampleConnector):
    caught_by = "test_two_instances_serve_one_account"

    def deliver(self, leads):
        owner = str(id(self))
        if self.context.memory.get("owner") not in {None, owner}:
            raise TemporaryFailure("another process is at it")
        self.context.memory.put("owner", owner)
        return super().deliver(leads)


class ClosesOnce(SampleConnector):
    caught_by = "test_it_can_be_closed_twice"

    def close(self):
        del self.crm


class HoldsAGrudge(SampleConnector):
    caught_by = "test_it_is_usable_after_a_refusal"

    def __init__(self, settings, context):
        super().__init__(settings, context)
        self.failed = []

    def outcome(self, contact, conversation):
        outcome = super().outcome(contact, conversation)
        if not isinstance(outcome, Receipt):
            self.failed.append(outcome)
        return self.failed[0] if self.failed else outcome


class ErasesHalf(SampleConnector):
    caught_by = "test_erased_records_are_gone_and_others_stay"

    def erase(self, receipts):
        return super().erase([replace(r, ids={"contact": r.ids["contact"]}) for r in receipts])


class ErasesTooMuch(SampleConnector):
    caught_by = "test_erased_records_are_gone_and_others_stay"

    def erase(self, receipts):
        for table in self.crm.tables.values():
            table.clear()
        return list(receipts)


class ErasesOnce(SampleConnector):
    caught_by = "test_erasing_again_is_a_success"

    def erase(self, receipts):
        gone = [r.ids["contact"] not in self.crm.tables["contact"] for r in receipts]
        outcomes = super().erase(receipts)
        missing = PermanentFailure("no such record")
        return [missing if g else outcome for g, outcome in zip(gone, outcomes, strict=True)]


class BringsTheErasedBack(SampleConnector):
    """It makes records again of which only an update was wanted."""

    caught_by = "test_an_update_only_lead_creates_nothing"

    def deliver(self, leads):
        return super().deliver([replace(lead, update_only=False) for lead in leads])


class MovesTheErased(SampleConnector):
    """It takes the visitor who was erased for another one."""

    caught_by = "test_an_update_only_lead_changes_what_it_names_and_nothing_else"

    def deliver(self, leads):
        anonymous = [
            replace(lead, update_only=False, contact_key=f"visitor:{lead.visitor.id}", records=required(lead))
            if lead.update_only
            else lead
            for lead in leads
        ]
        return super().deliver(anonymous)


def required(lead):
    return {**lead.records, "contact": Record(values={"Company": "unknown"})}
