"""Writing drafts: each record once, and again without what was refused."""

from __future__ import annotations

import pytest

from chatferry import AuthFailure, PermanentFailure, TemporaryFailure
from chatferry.records import (
    Draft,
    Fields,
    Written,
    open_drafts,
    settle,
    stopped_by,
    write_folded,
    write_repaired,
)


def draft(key, field="key", **values):
    return Draft(key_field=field, key=key, fields=Fields(values=values))


class Crm:
    """A CRM that refuses values by name, and keeps what each call wrote."""

    def __init__(self, *refused):
        self.refused, self.calls = refused, []

    def write(self, drafts):
        self.calls.append([(one.key, one.values) for one in drafts])
        for one in drafts:
            bad = sorted(set(one.values) & set(self.refused))
            one.result = PermanentFailure(bad[0]) if bad else Written(id=one.key)


def test_a_record_of_two_leads_is_written_once_and_both_have_its_result():
    crm, drafts = Crm(), [draft("a", x=1), draft("b", x=1), draft("a", y=2)]
    write_folded(drafts, crm.write)
    assert crm.calls == [[("a", {"x": 1, "y": 2}), ("b", {"x": 1})]]
    assert [one.written.id for one in drafts] == ["a", "b", "a"]


def test_keys_that_differ_only_in_case_are_one_where_the_crm_says_so():
    crm, drafts = Crm(), [draft("a", x=1), draft("A", x=2)]
    write_folded(drafts, crm.write, same=str.casefold)
    assert crm.calls == [[("A", {"x": 2})]]


def test_the_same_key_of_two_fields_is_two_records():
    crm = Crm()
    write_folded([draft("a", "email"), draft("a", "visitor")], crm.write)
    assert len(crm.calls[0]) == 2


def test_one_that_is_refused_does_not_drag_the_others_of_its_record_along():
    crm, drafts = Crm("bad"), [draft("a", x=1), draft("a", bad=1), draft("a", y=2)]
    write_folded(drafts, crm.write)
    assert [type(one.result) for one in drafts] == [Written, PermanentFailure, Written]
    assert [len(call) for call in crm.calls] == [1, 1, 1, 1]


def test_what_may_not_be_written_twice_is_not_written_one_by_one():
    crm, drafts = Crm("bad"), [draft("a", x=1), draft("a", bad=1)]
    write_folded(drafts, crm.write, one_by_one=False)
    assert len(crm.calls) == 1
    assert all(isinstance(one.result, PermanentFailure) for one in drafts)


def repair(drafts):
    """Take off the field that was refused."""
    again = [one for one in drafts if isinstance(one.result, PermanentFailure)]
    for one in again:
        one.fields, one.result = one.fields.without({str(one.result)}, f"{one.result} was left out"), None
    return again


def test_a_record_is_sent_again_without_what_was_refused_until_it_passes():
    crm, drafts = Crm("p", "q"), [draft("a", x=1, p=1, q=1), draft("b", x=1)]
    write_repaired(drafts, crm.write, repair)
    assert all(isinstance(one.result, Written) for one in drafts)
    assert [[key for key, _ in call] for call in crm.calls] == [["a", "b"], ["a"], ["a"]]
    assert drafts[0].fields.notes == ("p was left out", "q was left out")


def test_a_record_that_never_passes_is_given_up():
    crm, names = Crm(*map(str, range(30))), {str(number): 1 for number in range(30)}
    drafts = [draft("a", **names)]
    write_repaired(drafts, crm.write, repair, times=3)
    assert len(crm.calls) == 4


def test_an_error_about_the_account_stops_the_steps_that_follow():
    drafts = [draft("a"), draft("b"), draft("c")]
    settle(drafts[:1], TemporaryFailure("locked"))
    assert stopped_by(drafts) is None
    settle(drafts[1:2], refused := AuthFailure("no"))
    assert stopped_by(drafts) is refused
    assert open_drafts(drafts) == drafts[2:]


def test_a_record_that_was_not_written_has_no_id():
    with pytest.raises(TypeError, match="not written"):
        print(draft("a").written)  # noqa: T201  (the property raises)
