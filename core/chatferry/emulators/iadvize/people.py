"""The people of the emulated world: clients with their projects and operators, and visitors."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chatferry.emulators.iadvize.phrases import Phrases

PROJECTS_A_CLIENT = 2
ONSITE = ("CHAT", "CALL", "VIDEO")


class Known(StrEnum):
    """Where an address of a visitor can be found."""

    PROFILE = "profile"
    TEXT = "text"
    BOTH = "both"
    """In the profile, and another one in the visitor's messages."""
    NOWHERE = "nowhere"


_EMAIL_CYCLE = (*[Known.PROFILE] * 5, *[Known.TEXT] * 2, Known.BOTH, *[Known.NOWHERE] * 2)
_PHONE_CYCLE = (*[Known.NOWHERE] * 4, *[Known.PROFILE] * 2, *[Known.TEXT] * 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A user of iAdvize; ``kind`` is the GraphQL type: ``Bot``, ``Professional`` or ``Expert``."""

    id: int
    kind: str
    first_name: str | None
    last_name: str
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project (SID) of a client."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A customer of iAdvize and the user that logs in for it. ``platform`` is ``ha`` or ``sd``."""

    platform: str
    client_id: int
    name: str
    username: str
    password: str = field(repr=False)
    projects: tuple[Project, ...]
    operators: tuple[Operator, ...]

    def operators_of(self, kind: str) -> list[Operator]:
        """Return the operators of one kind."""
        return [operator for operator in self.operators if operator.kind == kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A visitor: the profile that iAdvize keeps, and the e-mail and phone that only messages contain."""

    number: int
    id: str
    vuid: str
    legacy_id: int
    channel: str
    profile: Mapping[str, str | None] = field(repr=False)
    typed_email: str | None = field(default=None, repr=False)
    typed_phone: str | None = field(default=None, repr=False)

    @property
    def onsite(self) -> bool:
        """Whether the visitor came through the web site."""
        return self.channel in ONSITE


def make_clients(
    count: int, *, username: str, password: str, phrases: Phrases, first_id: int = 335
) -> tuple[Client, ...]:
    """Make clients 335, 336, ... on platforms ha and sd in turn.

    The first user is ``username``; the next ones carry their client's id: ``name+336@host``.
    """
    name, _, host = username.partition("@")
    return tuple(
        _client(
            first_id + number,
            platform="sd" if number % 2 else "ha",
            username=username if not number else f"{name}+{first_id + number}@{host}",
            password=password,
            agents=phrases.agents,
        )
        for number in range(count)
    )


def _client(
    client_id: int, *, platform: str, username: str, password: str, agents: Sequence[Sequence[str]]
) -> Client:
    base = client_id * 100
    humans = tuple(
        Operator(
            id=base + 10 + number,
            kind="Professional",
            first_name=first,
            last_name=last,
            email=f"agent{base + 10 + number}@brand.example",
        )
        for number, (first, last) in enumerate(agents)
    )
    bots = tuple(
        Operator(id=base + 1 + number, kind="Bot", first_name=None, last_name=name)
        for number, name in enumerate(("Wall-e", "Eve"))
    )
    expert = Operator(id=base + 50, kind="Expert", first_name="Sam", last_name="Okoye")
    projects = tuple(
        Project(id=client_id * 10 + number, name=f"My brand {client_id} {number or 'online'}")
        for number in range(PROJECTS_A_CLIENT)
    )
    return Client(
        platform=platform,
        client_id=client_id,
        name=f"R&D Boss {client_id}",
        username=username,
        password=password,
        projects=projects,
        operators=(*bots, *humans, expert),
    )


def make_uuid(rng: random.Random) -> str:
    """Return a version 4 UUID that depends on ``rng`` alone."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


_CHANNELS = ("CHAT",) * 12 + ("CALL", "VIDEO", "MOBILE_APP")
_OFFSITE = ("WHATSAPP", "SMS", "FACEBOOK", "INSTAGRAM", "APPLE_BUSINESS_CHAT")


def make_person(seed: int, number: int, phrases: Phrases, *, offsite: bool = False) -> Person:
    """Make visitor ``number``, who depends on the seed and the number alone."""
    rng = random.Random(f"{seed}/visitor/{number}")  # noqa: S311  (reproducible, not secret)
    channel = rng.choice(_OFFSITE if offsite else _CHANNELS)
    first, last = rng.choice(phrases.first_names), rng.choice(phrases.last_names)
    address = f"visitor.{number}@{rng.choice(phrases.domains)}"
    email = _EMAIL_CYCLE[(number * 7 + number // 20) % len(_EMAIL_CYCLE)]
    phone = _PHONE_CYCLE[(number + number // 8) % len(_PHONE_CYCLE)]
    telephone = _telephone(rng)
    return Person(
        number=number,
        id=make_uuid(rng),
        vuid=f"{rng.getrandbits(180):045x}",
        legacy_id=60_000_000 + number,
        channel=channel,
        profile={
            "firstName": first if rng.random() < 0.8 else None,  # noqa: PLR2004  (most are named)
            "lastName": last if rng.random() < 0.8 else None,  # noqa: PLR2004  (the same)
            "email": address if email in {Known.PROFILE, Known.BOTH} else None,
            "phoneNumber": telephone if phone is Known.PROFILE else None,
            "externalUserId": f"crm-{number}" if rng.random() < 0.2 else None,  # noqa: PLR2004
            "username": f"{first}.{number}" if channel in _OFFSITE else None,
            **_address(rng, phrases),
        },
        typed_email=f"home.{address}" if email is Known.BOTH else address if email is Known.TEXT else None,
        typed_phone=telephone if phone is Known.TEXT else None,
    )


def _address(rng: random.Random, phrases: Phrases) -> dict[str, str | None]:
    if rng.random() < 0.6:  # noqa: PLR2004  (most visitors never say where they live)
        return dict.fromkeys(("address", "city", "zipCode", "country"))
    city, zip_code, country = rng.choice(phrases.cities)
    return {
        "address": f"{rng.randint(1, 99)} rue de l'Exemple",
        "city": city,
        "zipCode": zip_code,
        "country": country,
    }


def _telephone(rng: random.Random) -> str:
    """Return a valid number from the ranges that France, Germany and the USA keep for fiction."""
    digits = f"{rng.randint(0, 9999):04d}"
    return rng.choice(
        (f"+33 1 99 00 {digits[:2]} {digits[2:]}", f"+49 30 23125 {digits[:3]}", f"+1 202-555-01{digits[:2]}")
    )


def visitor_node(person: Person, project: Project, created_at: str, updated_at: str) -> dict[str, Any]:
    """Return the GraphQL ``Visitor`` of a person."""
    return {
        "__typename": "Visitor",
        "visitorId": person.id,
        "source": "ONSITE" if person.onsite else person.channel,
        "legacyVisitorId": person.legacy_id if person.onsite else None,
        "externalId": person.profile["externalUserId"],
        "createdAt": created_at,
        "updatedAt": updated_at,
        "project": {"id": project.id, "name": project.name},
        **person.profile,
    }


def user_node(operator: Operator) -> dict[str, Any]:
    """Return the GraphQL ``User`` of an operator."""
    name = f"{operator.first_name or ''} {operator.last_name}".strip()
    return {
        "__typename": operator.kind,
        "id": operator.id,
        "email": operator.email,
        "firstName": operator.first_name,
        "lastName": operator.last_name,
        "pseudo": name,
        "userName": name,
        "createdAt": "2024-01-08T09:00:00Z",
        "isDeleted": False,
    }
