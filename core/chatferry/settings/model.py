"""What a validated configuration looks like. Durations are seconds unless a name says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from chatferry.model import FieldMode
from chatferry.settings.secrets import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The endpoint: where it listens and what it refuses to read."""

    host: str = "127.0.0.1"
    port: int = 8787
    threads: int = 64
    """Requests answered at the same time; concurrent ones share one commit."""
    body_limit: int = 262_144
    """Bytes; iAdvize's events are below 2,000."""
    body_timeout: float = 5.0
    """From a request's head to the end of its body."""
    bodies_per_address: int = 64
    """Bodies of one address that may come slowly at the same time."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of reverse proxies whose ``X-Forwarded-For`` is believed."""
    json_depth: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """One iAdvize client and the user chatferry logs in with."""

    platform: str
    client_id: int
    username: Secret
    password: Secret
    api_url: str = "https://api.iadvize.com"
    batch_size: int = 50
    """Conversations asked for in one GraphQL document, at most."""
    timeout: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IAdvizeSettings:
    """The app's secrets (several while one is rotated) and the clients it serves."""

    secrets: tuple[Secret, ...]
    clients: tuple[ClientSettings, ...] = ()

    def client(self, platform: str, client_id: int | None) -> ClientSettings | None:
        """Return the client an event names, or None if it is not configured."""
        for client in self.clients:
            if client.client_id == client_id and client.platform == platform.lower():
                return client
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """Running conversations: how often they are read, and for how long."""

    interval: float = 30.0
    """Between two readings, where a destination asks for running conversations."""
    idle_interval: float = 3600.0
    """Between two readings elsewhere: it notices a close whose webhook was lost."""
    max_age: float = 8 * 86_400.0
    """iAdvize closes offsite conversations after 7 days of silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """How long a lead is tried before it is dead, and how patient the waits become."""

    first: float = 2.0
    longest: float = 3600.0
    give_up_after: float = 3 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerSettings:
    """The threads that drive sync and deliver."""

    sync_threads: int = 4
    idle: float = 0.1
    """Between two looks at a ledger that had nothing due."""
    lease: float = 60.0
    """After which work of a process that died is taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileSettings:
    """Closed conversations iAdvize knows and the ledger lacks."""

    at_start: bool = True
    every: float = 3600.0
    """0 never reconciles on a schedule."""
    overlap: float = 3 * 3600.0
    """How far before the last reconciliation the next one starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long the ledger keeps what has done its work. 0 keeps it for ever."""

    events_days: int = 30
    leads_days: int = 90


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """One configured account of a connector, with what goes there. An empty tuple selects all."""

    name: str
    connector: str
    enabled: bool = True
    platforms: tuple[str, ...] = ()
    clients: tuple[int, ...] = ()
    projects: tuple[int, ...] = ()
    channels: tuple[str, ...] = ()
    operators: tuple[int, ...] = ()
    """At least one of them took part."""
    without_operators: tuple[int, ...] = ()
    """None of them took part."""
    answered: bool | None = None
    email: Literal["any", "required", "absent"] = "any"
    """Whether the rule selects leads with an e-mail, without, or both."""
    without_email: Literal["deliver", "park"] = "deliver"
    """What becomes of a selected lead that has no e-mail."""
    live: bool = False
    """Whether running conversations go there, or finished ones only."""
    linger: float = 0.05
    """How long a lone lead waits for company before it is handed over."""
    strategies: tuple[StrategySettings, ...] = (
        StrategySettings(name="markers"),
        StrategySettings(name="profile"),
        StrategySettings(name="contact"),
        StrategySettings(name="transcript"),
    )
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """As written; the connector's own schema validates it."""
    mapping: Mapping[str, Mapping[str, FieldSettings]] = field(default_factory=dict)
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

    directory: Path
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
