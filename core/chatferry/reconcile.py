"""Find the conversations whose webhooks were lost: iAdvize retries for 30 seconds, no longer.

The closed conversations of a period are listed page by page and those the ledger never read to the
end are marked due; sync and deliver do the rest as ever. A comparison that is interrupted goes on
from its last page. iAdvize's list reads like an analytics store and may lag behind, so a scheduled
comparison begins well before the last one ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from chatferry.engine import Engine
from chatferry.errors import PlatformAuthFailure, PlatformError, PlatformUnavailable
from chatferry.iadvize.client import IAdvize
from chatferry.iadvize.closed import ClosedConversation, ClosedPage
from chatferry.ledger.marks import Mark
from chatferry.ledger.reconciliations import Kind, Progress
from chatferry.routing import wanted

_FIRST_TIME = 86_400.0
"""Seconds the first scheduled comparison of a client looks back."""


class Reconciler:
    """Compares iAdvize with the ledger of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def reconcile(
        self,
        since: float,
        until: float,
        *,
        kind: Kind = Kind.RECONCILE,
        report: Callable[[Progress], None] = lambda _: None,
    ) -> list[Progress]:
        """Compare a period for every client; return what was found, a line a client.

        What one client does not give keeps no other from being compared.

        :param report: called after each page.
        :raises PlatformError: if iAdvize does not give a list; what was found is marked all the same.
        """
        return self._each(lambda key, client: self._client(client, *key, kind, since, until, report))

    def scheduled(self, now: float) -> list[Progress]:
        """Compare what came since the last time this was complete, for every client.

        :raises PlatformError: if iAdvize does not give a list; the next time begins where this did.
        """
        return self._each(lambda key, client: self._go_on(client, *key, now))

    def _each(self, compare: Callable[[tuple[str, int], IAdvize], Progress]) -> list[Progress]:
        done: list[Progress] = []
        failures: list[PlatformError] = []
        for key, client in self._engine.clients.items():
            try:
                done.append(compare(key, client))
            except PlatformError as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return done

    def _go_on(self, client: IAdvize, platform: str, client_id: int, now: float) -> Progress:
        """Finish what was interrupted, which is quick, before anything else."""
        kept = self._engine.ledger.reconciliations
        last = kept.complete_until(platform, client_id)
        overlap = self._engine.settings.reconcile.overlap
        since = now - _FIRST_TIME if last is None else min(last, now) - overlap
        until = kept.interrupted(platform, client_id, since) or now
        return self._client(client, platform, client_id, Kind.SCHEDULED, since, until, lambda _: None)

    def _client(
        self,
        client: IAdvize,
        platform: str,
        client_id: int,
        kind: Kind,
        since: float,
        until: float,
        report: Callable[[Progress], None],
    ) -> Progress:
        kept = self._engine.ledger.reconciliations
        progress = kept.begin(platform, client_id, kind, since, until, self._engine.clock())
        for found, after in _pages(client, progress, self._projects()):
            missing = self._mark(platform, client_id, found, kind)
            progress = replace(
                progress,
                cursor=after,
                found=progress.found + len(found),
                missing=progress.missing + missing,
            )
            kept.advance(progress)
            report(progress)
        kept.finish(progress, self._engine.clock())
        return progress

    def _projects(self) -> tuple[int, ...]:
        """The projects to ask for; none means all, as one destination takes all."""
        enabled = [one for one in self._engine.settings.destinations.values() if one.enabled]
        if any(not one.projects for one in enabled):
            return ()
        return tuple(sorted({project for one in enabled for project in one.projects}))

    def _mark(self, platform: str, client_id: int, found: tuple[ClosedConversation, ...], kind: Kind) -> int:
        settings, now = self._engine.settings, self._engine.clock()
        ours = {one.id: one for one in found if wanted(settings, platform, client_id, one.project_id)}
        conversations = self._engine.ledger.conversations
        missing = [ours[number] for number in conversations.unknown(platform, client_id, list(ours))]
        conversations.mark(
            [
                Mark(
                    platform=platform,
                    client_id=client_id,
                    conversation_id=one.id,
                    project_id=one.project_id,
                    channel=one.channel,
                    seen_at=now,
                    due_at=now,
                    close_heard_at=one.closed_at.timestamp() if one.closed_at else now,
                    late=1 if kind is Kind.BACKFILL else 0,
                )
                for one in missing
            ]
        )
        return len(missing)


def _pages(
    client: IAdvize, progress: Progress, projects: tuple[int, ...]
) -> Iterator[tuple[tuple[ClosedConversation, ...], str | None]]:
    since = datetime.fromtimestamp(progress.since, UTC)
    until = datetime.fromtimestamp(progress.until, UTC)
    page = _first_page(client, since, until, projects, progress.cursor)
    yield page.conversations, page.after
    while page.after is not None:
        page = client.closed(since, until, projects, page.after)
        yield page.conversations, page.after


def _first_page(
    client: IAdvize, since: datetime, until: datetime, projects: tuple[int, ...], cursor: str | None
) -> ClosedPage:
    """Go on from a page, or begin again where iAdvize does not know the page any more."""
    try:
        return client.closed(since, until, projects, cursor)
    except (PlatformUnavailable, PlatformAuthFailure):
        raise
    except PlatformError:
        if cursor is None:
            raise
        return client.closed(since, until, projects, None)
