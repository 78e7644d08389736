"""Find the conversations whose webhooks were lost: iAdvize retries for 30 seconds, no longer.

The closed conversations of a period are listed page by page and those the ledger never read to the
end are requested to be read; sync and deliver do the rest as ever. A comparison that is interrupted goes on
from its last page: what a page asks for and the place to go on from are written together. One whose pages
lead nowhere ends there, and says so. iAdvize's list reads like an analytics store and may lag behind, so a
scheduled comparison begins well before the last one ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from chatferry.errors import PlatformAuthFailure, PlatformError, PlatformUnavailable
from chatferry.iadvize.client import IAdvize
from chatferry.iadvize.closed import ClosedConversation, ClosedPage
from chatferry.iadvize.page_walk import PageWalk
from chatferry.leads.routing import OPERATORS_UNKNOWN, wanted
from chatferry.ledger import Ledger
from chatferry.ledger.conversations import ClientKey
from chatferry.ledger.reconciliations import Kind, Progress
from chatferry.ledger.sync_requests import SyncRequest
from chatferry.logs import get_logger
from chatferry.settings.model import Settings

T = TypeVar("T")

_FIRST_TIME = 86_400.0
"""Seconds the first scheduled comparison of a client looks back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """Compares iAdvize with the ledger."""

    settings: Settings
    ledger: Ledger
    clients: Mapping[ClientKey, IAdvize]
    clock: Callable[[], float]

    def reconcile(
        self,
        since: float,
        until: float,
        *,
        kind: Kind = Kind.RECONCILE,
        report: Callable[[Progress], None] = lambda _: None,
    ) -> list[Progress]:
        """Compare a period for every client; return what was found, a line a client.

        What one client does not give keeps no other from being compared. What was interrupted goes on
        from its last page, and clients that were finished then are not compared again.

        :param report: called after each page.
        :raises PlatformError: if iAdvize does not give a list; what was found is requested all the same.
        """
        clients, kept = self.clients, self.ledger.reconciliations
        return _each(
            lambda one: one if one.finished else self._compare(one, report),
            kept.begin(list(clients), kind, since, until, self.clock()),
        )

    def scheduled(self, now: float) -> list[Progress]:
        """Compare what came since the last time this was complete, for every client.

        :raises PlatformError: if iAdvize does not give a list; the next time begins where this did.
        """
        return _each(lambda key: self._go_on(key, now), list(self.clients))

    def _go_on(self, key: ClientKey, now: float) -> Progress:
        """Finish what was interrupted before anything else, be it from where it began long ago."""
        kept, overlap = self.ledger.reconciliations, self.settings.reconcile.overlap
        last = kept.complete_until(*key)
        if left := kept.interrupted(*key, last):
            last = self._begin(key, *left).until
        since = now - _FIRST_TIME if last is None else min(last, now) - overlap
        return self._begin(key, since, now)

    def _begin(self, key: ClientKey, since: float, until: float) -> Progress:
        kept = self.ledger.reconciliations
        (progress,) = kept.begin([key], Kind.SCHEDULED, since, until, self.clock())
        return self._compare(progress, lambda _: None)

    def _compare(self, progress: Progress, report: Callable[[Progress], None]) -> Progress:
        client = self.clients[progress.platform, progress.client_id]
        kept = self.ledger.reconciliations
        progress, page = _first_page(client, progress, self._projects())
        walk, goes_on = PageWalk(progress.cursor), True
        while goes_on:
            is_new = walk.has_new([*(one.id for one in page.conversations), *[None] * page.unreadable])
            goes_on = is_new and page.after is not None and walk.leads_on(page.after)
            requests = self._missing(progress, page) if is_new else []
            progress = replace(
                progress,
                cursor=page.after if goes_on else None,
                found=progress.found + (len(page.conversations) if is_new else 0),
                missing=progress.missing + len(requests),
                leads_nowhere=page.has_more and not goes_on,
            )
            kept.record_page(progress, requests, finished_at=None if goes_on else self.clock())
            report(progress)
            if goes_on:
                page = _page(client, progress, self._projects())
        if progress.leads_nowhere:
            get_logger("chatferry.reconcile").warning(
                "closed conversations may be missing: iAdvize's pages of them lead nowhere",
                client=f"{progress.platform}/{progress.client_id}",
                found=progress.found,
            )
        return progress

    def _projects(self) -> tuple[int, ...]:
        """The projects to ask for; none means all, as one destination takes all."""
        enabled = [one for one in self.settings.destinations.values() if one.enabled]
        if any(not one.projects for one in enabled):
            return ()
        return tuple(sorted({project for one in enabled for project in one.projects}))

    def _missing(self, progress: Progress, page: ClosedPage) -> list[SyncRequest]:
        """Return requests to read what the ledger lacks of a page."""
        settings, now = self.settings, self.clock()
        platform, client_id = progress.platform, progress.client_id
        ours = {
            one.id: one for one in page.conversations if wanted(settings, platform, client_id, one.project_id)
        }
        listed = [number for number, one in ours.items() if one.operator_ids is not None]
        missing = self.ledger.conversations.unknown(
            platform, client_id, list(ours), more_is_known_of=listed, parked_because=OPERATORS_UNKNOWN
        )
        return [_request(progress, ours[number], now) for number in missing]


def _request(progress: Progress, closed: ClosedConversation, now: float) -> SyncRequest:
    return SyncRequest(
        platform=progress.platform,
        client_id=progress.client_id,
        conversation_id=closed.id,
        project_id=closed.project_id,
        channel=closed.channel,
        seen_at=now,
        due_at=now,
        close_announced_at=closed.closed_at.timestamp() if closed.closed_at else now,
        listed_operators=closed.operator_ids,
        is_backfill=1 if progress.kind is Kind.BACKFILL else 0,
    )


def _each(compare: Callable[[T], Progress], clients: Sequence[T]) -> list[Progress]:
    """Compare every client, whatever becomes of the others; raise the first failure at the end."""
    done: list[Progress] = []
    failures: list[PlatformError] = []
    for client in clients:
        try:
            done.append(compare(client))
        except PlatformError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return done


def _first_page(
    client: IAdvize, progress: Progress, projects: tuple[int, ...]
) -> tuple[Progress, ClosedPage]:
    """Go on from a page, or begin again where there is none or iAdvize does not know it any more."""
    anew = replace(progress, cursor=None, found=0, missing=0)
    if progress.cursor is None:
        return anew, _page(client, anew, projects)
    try:
        return progress, _page(client, progress, projects)
    except (PlatformUnavailable, PlatformAuthFailure):
        raise
    except PlatformError:
        return anew, _page(client, anew, projects)


def _page(client: IAdvize, progress: Progress, projects: tuple[int, ...]) -> ClosedPage:
    since = datetime.fromtimestamp(progress.since, UTC)
    until = datetime.fromtimestamp(progress.until, UTC)
    return client.closed(since, until, projects, progress.cursor)
