"""Secrets and personal data: in no log line, no error, no repr."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable

import pytest
from marshmallow import ValidationError

from chatferry.connector import Connector
from chatferry.errors import DeliveryError
from chatferry.model import Value
from chatferry.settings.secrets import Secret
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import Cases, delivered, key_of, needs, outcomes
from chatferry.testing.harness import Harness
from chatferry.testing.leads import PERSONAL
from chatferry.testing.trouble import Trouble


class SecrecyCases(Cases):
    """No secrets or personal data in logs and errors. Every logger is captured at DEBUG."""

    @needs(Capability.AUTHENTICATION)
    def test_no_secret_in_its_repr(self, crm: Harness, connector: Connector) -> None:
        """A connector in a traceback or a debugger's line shows no secret."""
        hidden(crm.secrets, repr(connector), str(connector), repr(connector.settings))

    @needs(Capability.AUTHENTICATION)
    def test_no_secret_in_the_log_of_a_delivery(
        self, crm: Harness, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Everything is logged while the connector starts, checks, delivers and closes."""
        caplog.set_level(logging.DEBUG)
        connector = crm.connect()
        connector.check()
        delivered(connector, crm.leads.ordinary())
        connector.close()
        hidden(crm.secrets, *_logged(caplog, capfd))

    @needs(Capability.AUTHENTICATION)
    def test_no_secret_in_a_refusal(
        self,
        crm: Harness,
        connector: Connector,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """Errors about refused credentials must not contain them."""
        caplog.set_level(logging.DEBUG)
        crm.misbehave(Trouble.CREDENTIALS_REFUSED)
        shown = [f"{finding.subject} {finding.message}" for finding in connector.check()]
        for outcome in outcomes(connector, [crm.leads.ordinary()]):
            assert isinstance(outcome, DeliveryError)
            shown += [repr(outcome), outcome.crm_message, *traceback.format_exception(outcome)]
        hidden(crm.secrets, *shown, *_logged(caplog, capfd))

    @needs(Capability.AUTHENTICATION)
    def test_a_secret_written_plainly_is_refused_and_not_repeated(self, crm: Harness) -> None:
        """A setting that is a secret takes a reference; what was written instead is not shown."""
        loaded = crm.connector.Settings().load(dict(crm.settings()))
        names = [name for name, value in loaded.items() if isinstance(value, Secret)]
        assert names, "no setting is a SecretField"
        for name in names:
            plain = loaded[name].reveal()
            with pytest.raises(ValidationError) as caught:
                crm.connector.Settings().load({**crm.settings(), name: plain})
            hidden([plain], str(caught.value))

    def test_no_personal_data_in_the_log_of_a_delivery(
        self,
        crm: Harness,
        connector: Connector,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """Not in the connector's lines, nor in the URLs its HTTP library logs."""
        caplog.set_level(logging.DEBUG)
        delivered(connector, crm.leads.rich(1))
        delivered(connector, crm.leads.rich(1))
        hidden(PERSONAL, repr(connector), *_logged(caplog, capfd))

    def test_no_personal_data_in_a_receipt(self, crm: Harness, connector: Connector) -> None:
        """Its ids, address and notes are kept, shown and logged."""
        (receipt,) = delivered(connector, crm.leads.rich())
        hidden((*PERSONAL, *crm.secrets), repr(receipt))

    @needs(Capability.PARTIAL_SUCCESS)
    def test_no_personal_data_in_a_refused_record(
        self,
        crm: Harness,
        connector: Connector,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """A CRM's message may echo what was sent: it belongs in ``crm_message``, never in the error text."""
        caplog.set_level(logging.DEBUG)
        lead = crm.leads.rich()
        crm.misbehave(Trouble.RECORD_REFUSED, key=key_of(crm, crm.shapes[0], lead))
        for outcome in outcomes(connector, [lead]):
            assert isinstance(outcome, DeliveryError)
            hidden(PERSONAL, str(outcome), repr(outcome), *_logged(caplog, capfd))

    @needs(Capability.PICKLISTS)
    def test_no_personal_data_in_a_refused_value(self, crm: Harness, connector: Connector) -> None:
        """A value the CRM refuses may be what the visitor said: the message names the field."""
        for shape in crm.shapes:
            if shape.picklist:
                fields: dict[str, Value] = {shape.picklist.field: "kumquat marmalade"}
                lead = crm.leads.ordinary(
                    contact=fields if shape is crm.contact else None,
                    conversation=fields if shape is crm.conversation else None,
                )
                for outcome in outcomes(connector, [lead]):
                    if isinstance(outcome, DeliveryError):
                        hidden(PERSONAL, str(outcome), repr(outcome))


def hidden(values: Iterable[str], *texts: str) -> None:
    """Check that none of the values is in any of the texts, ignoring case."""
    for number, value in enumerate(values, 1):
        for text in texts:
            assert value.lower() not in text.lower(), (
                f"no. {number} of what must be hidden is shown in: {text[:300]}"
            )


def _logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> list[str]:
    formatter = logging.Formatter()
    lines = [f"{formatter.format(record)} {vars(record)}" for record in caplog.records]
    return [*lines, *capfd.readouterr()]
