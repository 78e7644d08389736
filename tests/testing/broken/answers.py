"""Connectors that take a CRM's answers for something else, one defect each."""

# ruff: noqa: ARG002  (they override methods and ignore what they should not)

from __future__ import annotations

import json
from datetime import UTC, datetime

from chatferry import (
    AuthFailure,
    Finding,
    Level,
    PermanentFailure,
    QuotaExhausted,
    RateLimited,
    Receipt,
    TemporaryFailure,
)
from chatferry.testing.sample import SampleConnector


class NeverRenews(SampleConnector):
    caught_by = "test_expired_access_is_renewed"

    def call(self, request):
        self.token = self.token or self.login()
        return self.content(request(self.token))


class RetriesBadCredentials(SampleConnector):
    caught_by = "test_refused_credentials_pause_the_destination"

    def login(self):
        try:
            return super().login()
        except AuthFailure as error:
            raise TemporaryFailure(str(error)) from None


class BuriesTheForbidden(SampleConnector):
    caught_by = "test_a_missing_permission_pauses_the_destination"

    def failure(self, answer, code, words):
        if answer.status == 403:
            return PermanentFailure(f"forbidden: {code}")
        return super().failure(answer, code, words)


class ChecksNothing(SampleConnector):
    caught_by = "test_check_finds_refused_credentials"

    def check(self):
        return [Finding(level=Level.OK, subject="account", message="looks fine")]


class NeverForgives(SampleConnector):
    caught_by = "test_it_works_again_once_the_credentials_do"
    refused = False

    def login(self):
        if self.refused:
            raise AuthFailure("the credentials were refused before")
        self.refused = True
        token = super().login()
        self.refused = False
        return token


class KeepsTheWaitToItself(SampleConnector):
    caught_by = "test_a_rate_limit_says_how_long"

    def failure(self, answer, code, words):
        failure = super().failure(answer, code, words)
        return RateLimited("too many calls") if isinstance(failure, RateLimited) else failure


class ExpectsAWait(SampleConnector):
    caught_by = "test_a_rate_limit_without_a_wait_is_still_one"

    def failure(self, answer, code, words):
        if answer.status == 429:
            return RateLimited("too many calls", retry_after=float(answer.headers["Retry-After"]))
        return super().failure(answer, code, words)


class DoneBeforeItIsSent(SampleConnector):
    caught_by = "test_after_a_burst_everything_arrives_once"

    def deliver(self, leads):
        if all(self.context.memory.get(lead.key) for lead in leads):
            return [Receipt() for _ in leads]
        for lead in leads:
            self.context.memory.put(lead.key, "done")
        return super().deliver(leads)


class QuotaIsPace(SampleConnector):
    caught_by = "test_a_spent_allowance_pauses_the_destination"

    def failure(self, answer, code, words):
        return super().failure(answer, "SLOW_DOWN", words)


class QuotaUntilYesterday(SampleConnector):
    caught_by = "test_a_spent_allowance_pauses_the_destination"

    def failure(self, answer, code, words):
        if code == "DAILY":
            return QuotaExhausted("spent", until=datetime(2020, 1, 1, tzinfo=UTC))
        return super().failure(answer, code, words)


class BuriesOnServerErrors(SampleConnector):
    caught_by = "test_a_server_error_is_temporary"

    def failure(self, answer, code, words):
        if answer.status == 500:
            return PermanentFailure(f"refused: {code}")
        return super().failure(answer, code, words)


class ParsesEverything(SampleConnector):
    caught_by = "test_a_gateways_html_page_is_temporary"

    def content(self, answer):
        json.loads(answer.text)
        return super().content(answer)


class BuriesOnHtml(SampleConnector):
    caught_by = "test_html_with_a_good_status_is_no_success"

    def content(self, answer):
        if answer.text.startswith("<html"):
            raise PermanentFailure("the CRM answered with a page")
        return super().content(answer)


class SilenceIsConsent(SampleConnector):
    caught_by = "test_an_empty_answer_is_no_success"

    def content(self, answer):
        return {"results": []} if not answer.text else super().content(answer)

    def result(self, name, row, result):
        return super().result(name, row, result or {"id": "", "created": False})


class LetsLibraryErrorsOut(SampleConnector):
    caught_by = "test_a_broken_connection_is_temporary"

    def call(self, request):
        answer = request(self.token)
        if answer.status == 401:
            self.token = self.login()
            answer = request(self.token)
        return self.content(answer)


class BuriesOnTimeouts(SampleConnector):
    caught_by = "test_a_timeout_before_anything_is_stored_is_temporary"

    def call(self, request):
        try:
            return super().call(request)
        except TemporaryFailure as error:
            raise PermanentFailure(str(error)) from None


class WaitsForEver(SampleConnector):
    caught_by = "test_a_timeout_before_anything_is_stored_is_temporary"
    timeout = 0.5

    def __init__(self, settings, context):
        super().__init__(settings, context)
        self.request_timeout = None


class WaitsForEverOnceItIsStored(WaitsForEver):
    caught_by = "test_a_timeout_after_everything_is_stored_doubles_nothing"


class CreatesUntilItHears(SampleConnector):
    caught_by = "test_a_timeout_after_everything_is_stored_doubles_nothing"

    def row(self, lead, name, key):
        return {**super().row(lead, name, key), "create": self.context.memory.get(f"{name} {key}") is None}

    def result(self, name, row, result):
        if result:
            self.context.memory.put(f"{name} {row['key']}", "written")
        return super().result(name, row, result)


class CreatesTheNamelessUntilItHears(CreatesUntilItHears):
    caught_by = "test_a_timeout_after_storing_a_lead_without_email_doubles_nothing"

    def row(self, lead, name, key):
        row = super().row(lead, name, key)
        return {**row, "create": row["create"] and lead.email is None}


class CreatesThenNames(SampleConnector):
    """Creates without a key, and gives it in a call of its own: what happens between leaves an orphan."""

    caught_by = "test_what_a_lost_answer_leaves_behind_has_its_key"

    def send(self, name, rows):
        new = [row for row in rows if self.crm.find(name, row["key"]) is None]
        made = {}
        for row in new:
            answer = super().send(name, [{**row, "key": "", "create": True}])
            made[row["key"]] = answer[""]["id"]
        results = super().send(name, [{**row, "id": made.get(row["key"])} for row in rows])
        for key, number in made.items():
            self.crm.tables[name][number].key = key
        return results


class BreaksWithTheConnection(SampleConnector):
    caught_by = "test_one_hiccup_costs_nothing"

    def call(self, request):
        try:
            return super().call(request)
        except TemporaryFailure:
            del self.crm
            raise


class NoThoughtOfFullDisks(SampleConnector):
    caught_by = "test_a_full_disk_is_temporary_and_leaves_nothing_half_written"

    def call(self, request):
        answer = request(self.token)
        if answer.status == 401:
            self.token = self.login()
            answer = request(self.token)
        return self.content(answer)
