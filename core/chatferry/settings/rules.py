"""What a type cannot say of a setting: its range, its spelling, and how it stands to others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import ValidationError

from chatferry.settings import fields as ours
from chatferry.settings.model import (
    ClientSettings,
    DestinationSettings,
    IAdvizeSettings,
    LiveSettings,
    ReconcileSettings,
    RetentionSettings,
    RetrySettings,
    RunnerSettings,
    Settings,
    WebSettings,
)
from chatferry.settings.secrets import Secret

HIDDEN: Mapping[type, frozenset[str]] = {
    Settings: frozenset({"directory"}),
    DestinationSettings: frozenset({"name", "mapping"}),
}
"""Attributes that are no keys of their table: they follow from where it stands."""

LIMITS: Mapping[tuple[type, str], tuple[float, float | None]] = {
    (WebSettings, "port"): (0, 65_535),
    (WebSettings, "threads"): (1, 4096),
    (WebSettings, "body_limit"): (1024, 2**30),
    (WebSettings, "body_timeout"): (0.1, 60),
    (WebSettings, "bodies_per_address"): (1, 1024),
    (WebSettings, "json_depth"): (4, 500),
    (ClientSettings, "batch_size"): (1, 500),
    (ClientSettings, "timeout"): (0.1, None),
    (LiveSettings, "interval"): (0.05, None),
    (LiveSettings, "idle_interval"): (0.05, None),
    (LiveSettings, "max_age"): (1, None),
    (RetrySettings, "first"): (0.01, None),
    (RetrySettings, "longest"): (0.01, None),
    (RunnerSettings, "sync_threads"): (1, 256),
    (RunnerSettings, "idle"): (0.001, 60),
    (RunnerSettings, "lease"): (1, None),
    (ReconcileSettings, "every"): (0, None),
    (RetentionSettings, "events_days"): (0, 36_500),
    (RetentionSettings, "leads_days"): (0, 36_500),
    (DestinationSettings, "linger"): (0, 60),
}
"""Lowest and highest value; no duration is below 0."""

READERS: Mapping[tuple[type, str], Callable[[Any], Any]] = {
    (WebSettings, "trusted_proxies"): ours.network,
    (ClientSettings, "platform"): ours.platform,
    (ClientSettings, "client_id"): ours.identifier,
    (ClientSettings, "api_url"): ours.web_address,
    (DestinationSettings, "platforms"): ours.platform,
    (DestinationSettings, "clients"): ours.identifier,
    (DestinationSettings, "projects"): ours.identifier,
    (DestinationSettings, "operators"): ours.identifier,
    (DestinationSettings, "without_operators"): ours.identifier,
}
"""How a text or number is read, where its type alone does not say it."""


def _some(secrets: tuple[Secret, ...]) -> None:
    if not secrets:
        raise ValidationError('empty; write at least one, such as "env:IADVIZE_SECRET"')


def _distinct(clients: tuple[ClientSettings, ...]) -> None:
    seen: dict[tuple[str, int], int] = {}
    for index, client in enumerate(clients):
        first = seen.setdefault((client.platform, client.client_id), index)
        if first != index:
            raise ValidationError({index: [f"the same platform and client_id as client {first}; keep one"]})


def _patient(retry: RetrySettings) -> None:
    if retry.longest < retry.first:
        raise ValidationError(
            {"longest": ["shorter than the first wait; write at least as much as in first"]}
        )


CHECKS: Mapping[tuple[type, str], Callable[[Any], None]] = {
    (IAdvizeSettings, "secrets"): _some,
    (IAdvizeSettings, "clients"): _distinct,
}
"""What must hold of a list as a whole."""

TABLE_CHECKS: Mapping[type, Callable[[Any], None]] = {RetrySettings: _patient}
"""What must hold between the keys of a table."""
