"""Connectors that show what must be hidden, one defect each."""

# ruff: noqa: ARG002  (they override methods and ignore what they should not)

from __future__ import annotations

import logging
from dataclasses import replace

from marshmallow import fields

from chatferry import AuthFailure, PermanentFailure, Secret, SecretField
from chatferry.testing.sample import SampleConnector

log = logging.getLogger(__name__)


class ShowsItsKey(SampleConnector):
    caught_by = "test_no_secret_in_its_repr"

    def __repr__(self):
        return f"<Sample {self.settings['api_key'].reveal()}>"


class LogsItsToken(SampleConnector):
    caught_by = "test_no_secret_in_the_log_of_a_delivery"

    def login(self):
        token = super().login()
        log.debug("Authorization: Bearer %s", token)
        return token


class RepeatsARefusal(SampleConnector):
    caught_by = "test_no_secret_in_a_refusal"

    def login(self):
        answer = self.crm.login(self.settings["api_key"].reveal())
        if answer.status != 200:
            raise AuthFailure("the CRM refuses the API key", crm_message=answer.text)
        return self.content(answer)["token"]


class PlainSecretField(SecretField):
    def _deserialize(self, value, attr, data, **kwargs):
        return value if isinstance(value, Secret) else Secret(value)


class TakesPlainSecrets(SampleConnector):
    caught_by = "test_a_secret_written_plainly_is_refused_and_not_repeated"

    class Settings(SampleConnector.Settings):
        api_key = PlainSecretField(required=True)


class KeepsItsKeyAsText(SampleConnector):
    caught_by = "test_a_secret_written_plainly_is_refused_and_not_repeated"

    class Settings(SampleConnector.Settings):
        api_key = fields.Raw(required=True)


class LogsRows(SampleConnector):
    caught_by = "test_no_personal_data_in_the_log_of_a_delivery"

    def send(self, name, rows):
        log.debug("sending %s", rows)
        return super().send(name, rows)


class LogsAddressesOfPages(SampleConnector):
    caught_by = "test_no_personal_data_in_the_log_of_a_delivery"

    def row(self, lead, name, key):
        logging.getLogger("urllib3.connectionpool").debug('"PATCH /contacts/%s HTTP/1.1" 200', key)
        return super().row(lead, name, key)


class LinksByAddress(SampleConnector):
    caught_by = "test_no_personal_data_in_a_receipt"

    def deliver(self, leads):
        return [
            replace(outcome, url=f"https://sample.example/contacts?email={lead.email}")
            for lead, outcome in zip(leads, super().deliver(leads), strict=True)
        ]


class QuotesTheCrm(SampleConnector):
    caught_by = "test_no_personal_data_in_a_refused_record"

    def refusal(self, name, error):
        return PermanentFailure(f"refused: {error['message']}", crm_message=error["message"])


class QuotesTheValue(SampleConnector):
    caught_by = "test_no_personal_data_in_a_refused_value"

    def refusal(self, name, error):
        if error["code"] == "PICKLIST":
            return PermanentFailure(error["message"])
        return super().refusal(name, error)
