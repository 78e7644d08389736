"""Connectors that confuse the leads of a batch, one defect each."""

# ruff: noqa: ARG002  (they override methods and ignore what they should not)

from __future__ import annotations

from dataclasses import replace

from chatferry import DeliveryError, PermanentFailure, Receipt, TemporaryFailure
from chatferry.testing.sample import SampleConnector


class LooksAtTheFirstLead(SampleConnector):
    caught_by = "test_no_leads_are_no_error"

    def deliver(self, leads):
        self.project = leads[0].conversation.project_id
        return super().deliver(leads)


class AnswersInAnotherOrder(SampleConnector):
    caught_by = "test_a_full_batch_gets_one_outcome_a_lead_in_order"

    def deliver(self, leads):
        return list(reversed(super().deliver(leads)))


class AnswersTooFew(SampleConnector):
    caught_by = "test_a_full_batch_gets_one_outcome_a_lead_in_order"

    def deliver(self, leads):
        return super().deliver(leads)[:-1] or super().deliver(leads)


class AnswersWithNothing(SampleConnector):
    caught_by = "test_a_full_batch_gets_one_outcome_a_lead_in_order"

    def deliver(self, leads):
        super().deliver(leads)
        return [None] * len(leads)


class NewForAll(SampleConnector):
    caught_by = "test_a_batch_of_known_and_new_leads_tells_them_apart"

    def deliver(self, leads):
        outcomes = super().deliver(leads)
        created = any(isinstance(outcome, Receipt) and outcome.created for outcome in outcomes)
        return [replace(o, created=created) if isinstance(o, Receipt) else o for o in outcomes]


class AnswersOncePerKey(SampleConnector):
    caught_by = "test_the_same_lead_twice_in_a_batch_leaves_one_record"

    def deliver(self, leads):
        return super().deliver(list({lead.key: lead for lead in leads}.values()))


class FirstContentWins(SampleConnector):
    caught_by = "test_the_later_of_two_contents_in_a_batch_wins"

    def write(self, name, rows):
        return super().write(name, list(reversed(rows)))


class OneConversationAContact(SampleConnector):
    caught_by = "test_two_conversations_of_one_visitor_in_a_batch_are_one_contact"

    def deliver(self, leads):
        first = {lead.contact_key: lead for lead in reversed(leads)}
        busy = TemporaryFailure("the contact is in use")
        outcomes = super().deliver(leads)
        return [
            o if first[lead.contact_key] == lead else busy for lead, o in zip(leads, outcomes, strict=True)
        ]


class RaisesForTheAccount(SampleConnector):
    caught_by = "test_a_refused_record_spares_its_companions"

    def outcome(self, contact, conversation):
        outcome = super().outcome(contact, conversation)
        if isinstance(outcome, DeliveryError):
            raise TemporaryFailure("a record was refused")
        return outcome


class WordlessRefusal(SampleConnector):
    caught_by = "test_a_refused_record_spares_its_companions"

    def refusal(self, name, error):
        return PermanentFailure(f"the {name} was refused")


class BuriesTheLocked(SampleConnector):
    caught_by = "test_a_locked_record_is_tried_again"

    def refusal(self, name, error):
        return PermanentFailure(f"the {name} was refused", crm_message=error["message"])


class MatchesByPosition(SampleConnector):
    caught_by = "test_results_out_of_order_find_their_leads"

    def upsert(self, name, rows):
        results = super().upsert(name, rows).values()
        return {row["key"]: result for row, result in zip(rows, results, strict=False)}


class InventsResults(SampleConnector):
    caught_by = "test_a_missing_result_is_not_a_success"

    def result(self, name, row, result):
        return super().result(name, row, result or {"id": "unknown", "created": False})


class CountsResults(SampleConnector):
    caught_by = "test_a_result_too_many_belongs_to_no_lead"

    def upsert(self, name, rows):
        results = super().upsert(name, rows)
        if len(results) != len(rows):
            raise TemporaryFailure(f"{len(results)} results for {len(rows)} records")
        return results


class GivesUpAfterElevenRequests(SampleConnector):
    """Enough to find the culprit among twenty leads, not among a hundred."""

    caught_by = "test_one_poisoned_lead_does_not_keep_a_full_batch_from_being_delivered"
    requests = 0

    def deliver(self, leads):
        self.requests = 0
        try:
            return super().deliver(leads)
        except TemporaryFailure:
            return [PermanentFailure("the batch was refused")] * len(leads)

    def upsert(self, name, rows):
        self.requests += 1
        if self.requests > 11:
            raise TemporaryFailure("enough for today")
        return super().upsert(name, rows)


class OneSpoilsAll(SampleConnector):
    caught_by = "test_one_poisoned_lead_does_not_keep_a_full_batch_from_being_delivered"

    def send(self, name, rows):
        try:
            answer = self.call(lambda token: self.crm.upsert(token, name, rows))
        except PermanentFailure as error:
            return {row["key"]: {"error": {"code": error.code, "message": str(error)}} for row in rows}
        return {result["key"]: result for result in answer["results"]}
