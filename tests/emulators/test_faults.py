from __future__ import annotations

import pytest

from chatferry.emulators import Fault, FaultBoard

KNOWN = {"slow": "Answers late.", "reset": "Drops the connection."}


@pytest.mark.parametrize(
    ("specification", "fault"),
    [
        ("slow", Fault(name="slow")),
        ("slow:0.25", Fault(name="slow", rate=0.25)),
        ("slow:x3", Fault(name="slow", left=3)),
        ("slow=1.5:x1", Fault(name="slow", value="1.5", left=1)),
    ],
)
def test_a_specification_says_how_often_a_fault_strikes(specification, fault):
    assert FaultBoard(KNOWN).switch_on(specification) == fault


@pytest.mark.parametrize("specification", ["", "slow:2", "slow:-1", "slow:xx", "slow:often", ":x1"])
def test_a_malformed_specification_is_refused(specification):
    with pytest.raises(ValueError, match="NAME"):
        FaultBoard(KNOWN).switch_on(specification)


def test_an_unknown_fault_is_refused_and_the_nearest_named():
    with pytest.raises(ValueError, match="did you mean reset"):
        FaultBoard(KNOWN).switch_on("rest")


def test_a_fault_strikes_as_often_as_it_was_asked_to():
    board = FaultBoard(KNOWN, ["slow:x2"])
    assert [bool(board.strikes("slow")) for _ in range(4)] == [True, True, False, False]
    assert board.struck == {"slow": 2}


def test_chance_is_reproducible_from_the_seed():
    def strikes(seed):
        board = FaultBoard(KNOWN, ["slow:0.5"], seed=seed)
        return [bool(board.strikes("slow")) for _ in range(50)]

    assert strikes(7) == strikes(7)
    assert 0 < sum(strikes(7)) < 50


def test_a_fault_that_is_switched_off_strikes_no_more():
    board = FaultBoard(KNOWN, ["slow", "reset"])
    board.switch_off("slow")
    assert not board.strikes("slow")
    assert [fault.name for fault in board.on] == ["reset"]
    board.switch_off()
    assert board.on == ()


def test_a_fault_that_is_given_twice_is_refused_by_name():
    with pytest.raises(ValueError, match="'slow' is given twice"):
        FaultBoard(KNOWN, ["slow:x1", "reset", "slow:0.5"])


def test_faults_are_switched_off_and_on_together_and_shown():
    board = FaultBoard({"500": "It fails.", "slow": "It waits."}, ["500"])
    board.switch(on=["slow=2:x1"], off=["500"])
    assert board.strikes("slow")
    assert board.to_json() == {
        "known": {"500": "It fails.", "slow": "It waits."},
        "on": [{"name": "slow", "rate": 1.0, "left": 0, "value": "2"}],
        "struck": {"slow": 1},
    }
    board.switch(off=[])
    assert [one.name for one in board.on] == ["slow"]
