import pytest

from chatferry.leads.strategies.profile import Profile
from chatferry.model import Visitor
from chatferry.testing.conversations import poorest, talk
from chatferry.testing.strategies import StrategyContract


class TestProfile(StrategyContract):
    @pytest.fixture
    def strategy(self):
        return Profile(Profile.Settings().load({}))


def profile(visitor, **options):
    answers = Profile(Profile.Settings().load(options)).extract(talk().build(visitor=visitor), {})
    return {answer.name: answer.value for answer in answers}


def test_fields_that_hold_something_are_answers():
    visitor = Visitor(
        id="v", first_name=" Jane ", last_name="", city="\t", email="Jane@Example.org", zip_code="44000"
    )
    assert profile(visitor) == {"first_name": "Jane", "email": "jane@example.org", "zip_code": "44000"}


def test_fields_can_be_chosen():
    assert profile(Visitor(first_name="Jane", city="Nantes"), fields=["city"]) == {"city": "Nantes"}


def test_an_email_that_cannot_be_one_is_left_to_contact():
    assert profile(Visitor(email="not given")) == {}


@pytest.mark.parametrize("filler", ["n/a", "-", "0", "0000000000", "inconnu", "\u200b"])
def test_a_telephone_that_cannot_be_one_is_left_to_contact(filler):
    assert profile(Visitor(phone=filler)) == {}


def test_an_erased_visitor_gives_nothing():
    assert list(Profile({}).extract(poorest(), {})) == []
