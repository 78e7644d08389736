"""The validated configuration: every key with its type, rules and default. Durations are in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from marshmallow import ValidationError, validate

from chatferry.model import FieldMode
from chatferry.settings import fields
from chatferry.settings.fields import Read, at_least, between
from chatferry.settings.secrets import Secret

Platform: TypeAlias = Annotated[str, Read(fields.platform)]
Identifier: TypeAlias = Annotated[int, Read(fields.identifier)]
Network: TypeAlias = Annotated[str, Read(fields.network)]

_NOT_A_KEY: Final = {"key": False}
"""Marks an attribute that is no key of its table: it follows from where the table stands."""

_NOT_EMPTY = validate.Length(min=1, error='empty; write at least one, such as "env:IADVIZE_SECRET"')


def _distinct(clients: tuple[ClientSettings, ...]) -> None:
    seen: dict[tuple[str, int], int] = {}
    for index, client in enumerate(clients):
        first = seen.setdefault((client.platform, client.client_id), index)
        if first != index:
            raise ValidationError({index: [f"the same platform and client_id as client {first}; keep one"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The webhook endpoint: its address and limits."""

    host: str = "127.0.0.1"
    port: Annotated[int, between(0, 65_535)] = 8787
    threads: Annotated[int, between(1, 4096)] = 64
    """Requests answered at the same time; concurrent ones share one commit."""
    body_limit: Annotated[int, between(1024, 2**30)] = 262_144
    """Bytes; iAdvize's events are below 2,000."""
    body_timeout: Annotated[float, between(0.1, 60)] = 5.0
    """From a request's head to the end of its body."""
    bodies_per_address: Annotated[int, between(1, 1024)] = 64
    """Incomplete bodies that one address may be sending at a time."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses and networks of reverse proxies whose ``X-Forwarded-For`` is believed."""
    json_depth: Annotated[int, between(4, 500)] = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """One iAdvize client and the user chatferry logs in with."""

    platform: Platform
    client_id: Identifier
    username: Secret
    password: Secret
    api_url: Annotated[str, Read(fields.api_url)] = "https://api.iadvize.com"
    batch_size: Annotated[int, between(1, 500)] = 50
    """Conversations asked for in one GraphQL document, at most."""
    timeout: Annotated[float, at_least(0.1)] = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IAdvizeSettings:
    """The app's secrets (several while one is rotated) and the clients it serves."""

    secrets: Annotated[tuple[Secret, ...], _NOT_EMPTY]
    clients: Annotated[tuple[ClientSettings, ...], _distinct] = ()

    def client(self, platform: str, client_id: int | None) -> ClientSettings | None:
        """Return the client an event names, or None if it is not configured."""
        for client in self.clients:
            if client.client_id == client_id and client.platform == platform.lower():
                return client
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """Running conversations: how often they are read, and for how long."""

    interval: Annotated[float, at_least(0.05)] = 30.0
    """Between two readings, where a destination asks for running conversations."""
    idle_interval: Annotated[float, at_least(0.05)] = 3600.0
    """Between two readings elsewhere: it notices a close whose webhook was lost."""
    max_age: Annotated[float, at_least(1)] = 8 * 86_400.0
    """iAdvize closes offsite conversations after 7 days of silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """Exponential back-off of deliveries, and when a delivery is given up."""

    first: Annotated[float, at_least(0.01)] = 2.0
    longest: Annotated[float, at_least(0.01)] = 3600.0
    give_up_after: float = 3 * 86_400.0

    def check(self) -> None:
        """Raise ValidationError if the waits would become shorter."""
        if self.longest < self.first:
            raise ValidationError(
                {"longest": ["shorter than the first wait; write at least as much as in first"]}
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerSettings:
    """The threads that drive sync and deliver."""

    sync_threads: Annotated[int, between(1, 256)] = 4
    idle: Annotated[float, between(0.001, 60)] = 0.1
    """Between two polls of a ledger that had nothing due."""
    lease: Annotated[float, at_least(1)] = 60.0
    """After which the work of a process that died is taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileSettings:
    """Reconciliation: finds closed conversations that iAdvize has and the ledger lacks."""

    at_start: bool = True
    every: Annotated[float, at_least(0)] = 3600.0
    """0 never reconciles on a schedule."""
    overlap: float = 3 * 3600.0
    """How far before the last reconciliation the next one starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long the ledger keeps events and delivered leads. 0 keeps them for ever."""

    events_days: Annotated[int, between(0, 36_500)] = 30
    leads_days: Annotated[int, between(0, 36_500)] = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategySettings:
    """A strategy of a destination, with what the destination says beside its name."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSettings:
    """One mapped field: an expression over the lead and how its value meets the CRM's."""

    expression: str
    mode: FieldMode = FieldMode.OVERWRITE
    clear: bool = False
    """Whether an empty value empties the CRM's field."""

    def check(self) -> None:
        """Raise ValidationError if a field is emptied that may not be overwritten."""
        if self.clear and self.mode is not FieldMode.OVERWRITE:
            message = f'only mode "overwrite" can empty a field, and this is "{self.mode}"'
            raise ValidationError({"clear": [message]})


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """One configured account of a connector, with what goes there. An empty tuple selects all."""

    name: str = field(metadata=_NOT_A_KEY)
    connector: str
    enabled: bool = True
    platforms: tuple[Platform, ...] = ()
    clients: tuple[Identifier, ...] = ()
    projects: tuple[Identifier, ...] = ()
    channels: tuple[str, ...] = ()
    operators: tuple[Identifier, ...] = ()
    """At least one of them took part."""
    without_operators: tuple[Identifier, ...] = ()
    """None of them took part."""
    answered: bool | None = None
    email: Literal["any", "required", "absent"] = "any"
    """Whether the rule selects leads with an e-mail, without, or both."""
    without_email: Literal["deliver", "park"] = "deliver"
    """What becomes of a selected lead that has no e-mail."""
    live: bool = False
    """Whether running conversations go there, or finished ones only."""
    linger: Annotated[float, between(0, 60)] = 0.05
    """How long a batch waits for further leads before it is delivered."""
    strategies: tuple[StrategySettings, ...] = (
        StrategySettings(name="markers"),
        StrategySettings(name="profile"),
        StrategySettings(name="contact"),
        StrategySettings(name="transcript"),
    )
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """As written; the connector's own schema validates it."""
    mapping: Mapping[str, Mapping[str, FieldSettings]] = field(default_factory=dict, metadata=_NOT_A_KEY)
    """Per object of the CRM, per field; the connector's own mapping where an object is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSettings:
    """Plugins that are not loaded, and whether a broken one stops the start."""

    disabled: tuple[str, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is logged and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole configuration; ``directory`` is where relative paths start."""

    directory: Path = field(metadata=_NOT_A_KEY)
    database: str = field(default="sqlite:///chatferry.db", repr=False)
    """A SQLAlchemy URL; it may hold a password, hence not shown."""
    web: WebSettings = field(default_factory=WebSettings)
    iadvize: IAdvizeSettings
    live: LiveSettings = field(default_factory=LiveSettings)
    retry: RetrySettings = field(default_factory=RetrySettings)
    runner: RunnerSettings = field(default_factory=RunnerSettings)
    reconcile: ReconcileSettings = field(default_factory=ReconcileSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    plugins: PluginSettings = field(default_factory=PluginSettings)
    log: LogSettings = field(default_factory=LogSettings)
    destinations: Mapping[str, DestinationSettings] = field(default_factory=dict)
