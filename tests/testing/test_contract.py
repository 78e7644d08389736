from __future__ import annotations

import pytest

from chatferry.testing import Capability, ConnectorContract, Harness, Shape
from chatferry.testing.sample import SampleConnector, SampleHarness


def contract_for(**changes):
    harness = type("ChangedHarness", (SampleHarness,), changes)
    return type("Contract", (ConnectorContract,), {"harness": harness})


def test_there_are_more_than_forty_cases():
    assert len(ConnectorContract.cases()) > 40


def test_a_case_whose_capability_is_not_declared_is_left_out_and_accounted_for():
    contract = contract_for(capabilities=SampleHarness.capabilities - {Capability.QUOTA})
    assert "test_a_spent_allowance_pauses_the_destination" not in contract.cases()
    assert contract.left_out["test_a_spent_allowance_pauses_the_destination"] == {Capability.QUOTA}
    assert len(contract.cases()) + len(contract.left_out) == len(ConnectorContract.cases())


def test_leaving_out_a_case_leaves_it_to_other_contracts():
    contract_for(capabilities=SampleHarness.capabilities - {Capability.QUOTA})
    assert "test_a_spent_allowance_pauses_the_destination" in contract_for().cases()


@pytest.mark.parametrize("capability", Capability)
def test_a_capability_means_something(capability):
    assert any(capability in needed for needed in ConnectorContract.cases().values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"troubles": ()}, "Capability.AUTHENTICATION but has no Trouble.CREDENTIALS_REFUSED"),
        (
            {"capabilities": SampleHarness.capabilities - {Capability.BATCH}},
            "Capability.PARTIAL_SUCCESS but has no Capability.BATCH beside it",
        ),
        (
            {"connector": type("OneByOne", (SampleConnector,), {"batch_size": 1})},
            "Capability.BATCH but has no connector with a batch_size above 1",
        ),
        ({"secrets": ()}, "Capability.AUTHENTICATION but has no secrets"),
        ({"contact": None}, "Capability.CONTACTS but has no contact shape"),
        ({"conversation": None}, "Capability.CONVERSATIONS but has no conversation shape"),
        ({"contact": None, "conversation": None}, "neither a contact nor a conversation"),
        (
            {"contact": Shape(name="contact", text="Name", other="Notes")},
            "Capability.REQUIRED_FIELDS but has no shape with required",
        ),
    ],
)
def test_what_a_harness_lacks_is_named(changes, message):
    with pytest.raises(TypeError, match=message):
        contract_for(**changes)


def test_a_method_a_harness_lacks_is_named():
    with pytest.raises(TypeError, match=r"Capability.DELETED but has no delete\(\)"):
        contract_for(delete=Harness.delete)


def test_a_harness_without_capabilities_is_refused():
    with pytest.raises(TypeError, match="has no connector"):
        type("Contract", (ConnectorContract,), {"harness": Harness})
