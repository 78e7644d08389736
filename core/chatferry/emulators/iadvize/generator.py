"""Conversation ``i`` of a seed: a pure function of both, whatever was generated before it."""

from __future__ import annotations

import random
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from chatferry.emulators.iadvize.people import Client, Operator, Person, Project, make_person, make_uuid
from chatferry.emulators.iadvize.phrases import Language, Phrases
from chatferry.emulators.iadvize.scenarios import PLOTS, Cast, social
from chatferry.emulators.iadvize.script import Click, Scene, Script

_RETURNING = 12
"""One conversation in twelve is of the visitor of the fifth conversation before it."""
_CACHE = 4096
_DATE_STYLES = ("Z", "Z", "Z", "Z", "+02:00", "Z[Etc/UTC]")


class Generator:
    """Makes scripts, and keeps the last few thousand."""

    def __init__(self, seed: int, clients: Sequence[Client], phrases: Phrases) -> None:
        self.seed = seed
        self.clients = tuple(clients)
        self.phrases = phrases
        self._kept: OrderedDict[int, Script] = OrderedDict()
        self._lock = threading.Lock()

    def conversation_id(self, number: int) -> str:
        """Return the id of a conversation without generating the rest."""
        return make_uuid(self._rng("id", number))

    def script(self, number: int) -> Script:
        """Return conversation ``number``."""
        with self._lock:
            if number in self._kept:
                self._kept.move_to_end(number)
                return self._kept[number]
        script = self._make(number)
        with self._lock:
            self._kept[number] = script
            if len(self._kept) > _CACHE:
                self._kept.popitem(last=False)
        return script

    def visitor_number(self, number: int) -> int:
        """Return the number of the visitor of a conversation."""
        return number - 5 if number % _RETURNING == _RETURNING - 5 else number

    def client_of(self, number: int) -> Client:
        """Return the client a conversation belongs to; a visitor stays with one."""
        return self.clients[self.visitor_number(number) % len(self.clients)]

    def project_of(self, number: int) -> Project:
        """Return the project a conversation belongs to."""
        projects = self.client_of(number).projects
        return projects[self.visitor_number(number) // len(self.clients) % len(projects)]

    def person(self, number: int) -> Person:
        """Return the visitor of a conversation."""
        visitor = self.visitor_number(number)
        offsite = PLOTS[visitor % len(PLOTS)] is social
        return make_person(self.seed, visitor, self.phrases, offsite=offsite)

    def _rng(self, what: str, number: int) -> random.Random:
        return random.Random(f"{self.seed}/{what}/{number}")  # noqa: S311  (reproducible, not secret)

    def _language(self, number: int) -> Language:
        languages = self.phrases.languages
        visitor = self.visitor_number(number)
        return languages[(visitor + visitor // len(languages)) % len(languages)]

    def _make(self, number: int) -> Script:
        rng = self._rng("conversation", number)
        client, person, language = self.client_of(number), self.person(number), self._language(number)
        scene = Scene(rng, language, person)
        plot = PLOTS[number % len(PLOTS)]
        plot(_stage(scene, client))
        return Script(
            number=number,
            id=self.conversation_id(number),
            kind=plot.__name__,
            language=language.code,
            person=person,
            lines=tuple(scene.lines),
            duration=scene.now,
            pushes=tuple(scene.pushes),
            answers=scene.answers,
            asked=scene.asked,
            files_only=scene.files_only,
            email_message_id=scene.email_message_id,
            phone_message_id=scene.phone_message_id,
            erased=person.number % 40 == 38,  # noqa: PLR2004  (one visitor in forty asked to be forgotten)
            anonymised=number % 40 == 19,  # noqa: PLR2004  (the same)
            date_style=rng.choice(_DATE_STYLES),
            **_extras(rng, language, person),
        )


def _stage(scene: Scene, client: Client) -> Cast:
    rng = scene.rng
    humans: list[Operator] = client.operators_of("Professional")
    first, second = rng.sample(humans, 2)
    return Cast(
        scene=scene,
        bot=rng.choice(client.operators_of("Bot")),
        agents=(first, second),
        expert=client.operators_of("Expert")[0],
    )


def _extras(rng: random.Random, language: Language, person: Person) -> dict[str, Any]:
    """Draw at random what a conversation may have beside its messages."""
    custom: dict[str, str | int | float | bool] = {}
    if rng.random() < 0.5:  # noqa: PLR2004  (half of the sites send custom data)
        custom = {"plan": rng.choice(("gold", "basic")), "visits": rng.randint(1, 40)}
        custom |= {"basket": round(rng.random() * 900, 2), "member": rng.random() < 0.5}  # noqa: PLR2004
    form = {}
    if person.onsite and rng.random() < 0.4:  # noqa: PLR2004  (closing forms are for onsite channels)
        form = {"create_crm_ticket": "true", "ticket_priority": rng.choice(("MAJOR", "MINOR"))}
    return {
        "custom_data": custom,
        "tags": tuple(rng.sample(("lead", "vip", "after-sales", "réclamation"), rng.randint(0, 2))),
        "closing_form": form,
        "survey": _survey(rng, language) if rng.random() < 0.4 else (),  # noqa: PLR2004
        "purchases": (_purchase(rng),) if rng.random() < 0.15 else (),  # noqa: PLR2004
    }


def _survey(rng: random.Random, language: Language) -> tuple[Click, ...]:
    """Return the clicks of a visitor, who changes their mind now and then."""
    clicks: list[dict[str, Any]] = [{"customerSatisfaction": rng.randint(1, 5)}]
    if rng.random() < 0.3:  # noqa: PLR2004  (a second thought)
        clicks.append({"customerSatisfaction": rng.randint(1, 5)})
    if rng.random() < 0.5:  # noqa: PLR2004
        clicks.append({"netPromoterScore": rng.randint(0, 10)})
    if rng.random() < 0.5:  # noqa: PLR2004
        clicks.append({"satisfactionComment": language.thanks})
    if rng.random() < 0.5:  # noqa: PLR2004
        clicks.append({"customQuestion": True})
    return tuple(Click(after=20.0 + 7 * place, facts=facts) for place, facts in enumerate(clicks))


def _purchase(rng: random.Random) -> Click:
    facts = {
        "id": make_uuid(rng),
        "externalId": f"transaction-{rng.randint(1, 9999)}",
        "amount": round(rng.random() * 2000, 2),
        "currency": "EUR",
    }
    return Click(after=3600.0 * rng.randint(1, 40), facts=facts)
