import pytest
from marshmallow import ValidationError

from chatferry.leads.strategies.transcript import Transcript
from chatferry.testing.conversations import poorest, talk
from chatferry.testing.strategies import StrategyContract


class TestTranscript(StrategyContract):
    @pytest.fixture
    def strategy(self):
        return Transcript(Transcript.Settings().load({}))


def transcript(chat, **options):
    [answer] = Transcript(Transcript.Settings().load(options)).extract(chat.build(), {})
    return answer


def test_it_names_the_messages_it_shows():
    chat = talk().system("moved").bot("[](Q1)").bot("[](Q1) Which car?").visitor("A van")
    answer = transcript(chat, system=False)
    assert answer.value == "[09:14] Bot: Which car?\n[09:15] Visitor: A van"
    assert answer.message_ids == ("m3", "m4")


def test_its_options_shape_the_text():
    chat = talk().agent("Bonjour", name="Zoé").visitor("Salut")
    options = {"timezone": "Europe/Paris", "authors": "names", "labels": {"visitor": "Client"}}
    assert transcript(chat, **options).value == "[10:14] Zoé: Bonjour\n[10:14] Client: Salut"


def test_silence_has_no_transcript():
    assert list(Transcript({}).extract(poorest(), {})) == []


@pytest.mark.parametrize(
    "options",
    [{"timezone": "Mars/Base"}, {"timezone": "../etc"}, {"authors": "ids"}, {"labels": {"boss": "x"}}],
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        Transcript.Settings().load(options)
