"""The GraphQL endpoint of one client: connections, access key, schema."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from graphql import ExecutionResult, GraphQLError, build_client_schema, get_introspection_query

from chatferry.errors import (
    PlatformAuthFailure,
    PlatformAway,
    PlatformError,
    PlatformRefused,
    PlatformUnavailable,
)
from chatferry.http import Bearer
from chatferry.http.token_store import AccessToken, TokenStore
from chatferry.iadvize.documents import Document, Documents
from chatferry.iadvize.http import FieldRefused, KeyRefused, check_url
from chatferry.iadvize.login import Login
from chatferry.iadvize.throttle import Throttle
from chatferry.iadvize.transport import Transport
from chatferry.settings.model import ClientSettings

SCHEMA_LIFE = 86_400.0
"""Seconds after which the schema is read again; iAdvize removes deprecated fields."""
_SCHEMA_INTERVAL = 60.0
"""Seconds at least between two readings of the schema for a suspicion, if the first found nothing new."""
_LAG = 5.0
"""Seconds after which a schema is read again that did not show yet what a refusal says of it."""


class Endpoint:
    """Sends documents; thread-safe."""

    def __init__(
        self, settings: ClientSettings, tokens: TokenStore, clock: Callable[[], float] = time.time
    ) -> None:
        check_url(settings.api_url)
        self.throttle = Throttle(settings.batch_size, clock)
        self._login = Login(settings, tokens, clock)
        self._clock = clock
        self._transport = Transport(_graphql_url(settings), settings.timeout, clock)
        self._schema_lock = threading.Lock()
        self._documents: Documents | None = None
        self._schema_at = 0.0
        self._unchanged_at = 0.0

    def execute(self, document: Document, variables: Mapping[str, Any]) -> ExecutionResult:
        """Send a document and return its data and errors; log in when there is no good key.

        :raises PlatformError: if there is no data at all; see :mod:`chatferry.errors`.
        """
        request = Document(document.text, dict(variables))
        try:
            return self._once(request)
        except KeyRefused:
            # Revoked before it expired. If a new key is refused as well, the user lacks rights.
            try:
                return self._once(request)
            except KeyRefused:
                raise PlatformAuthFailure(
                    "iAdvize refuses a new access key as well; check the rights of the configured user"
                ) from None

    def documents(self) -> Documents:
        """Return the documents for the platform's schema, which is asked for once a day."""
        known = self._documents
        if known is None or self._clock() - self._schema_at > SCHEMA_LIFE:
            with self._schema_lock:
                if self._documents is known:
                    self._renew_schema()
        if self._documents is None:
            raise PlatformUnavailable("iAdvize's schema is not known")
        return self._documents

    def ask(
        self, make: Callable[[Documents], tuple[Document, Mapping[str, Any]]], *, readings: int = 2
    ) -> ExecutionResult:
        """Send the document that ``make`` makes; make it anew where the schema has changed.

        :param readings: of the schema, at most: it may change again meanwhile.
        :raises PlatformError: as :meth:`execute` does.
        """
        documents = self.documents()
        try:
            return self.execute(*make(documents))
        except PlatformRefused as error:
            is_field = isinstance(error, FieldRefused)
            if readings and self._schema_changed(documents, interval=_LAG if is_field else _SCHEMA_INTERVAL):
                return self.ask(make, readings=readings - 1)
            if is_field:
                # No part of the document would fare better: all of it waits until the schema is right.
                raise PlatformUnavailable(
                    "iAdvize refuses fields that its schema offers", retry_after=_LAG
                ) from None
            raise

    def _schema_changed(self, known: Documents, *, interval: float) -> bool:
        """Read the schema again after a document made to ``known`` was refused; return whether it differs.

        :param interval: seconds at least since such a reading that found it unchanged.
        """
        with self._schema_lock:
            if self._documents is known and self._clock() - self._unchanged_at > interval:
                self._introspect()
                if self._documents is known:
                    self._unchanged_at = self._clock()
            return self._documents is not known

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def _once(self, request: Document) -> ExecutionResult:
        if (wait := self.throttle.wait) > 0:
            raise PlatformUnavailable("iAdvize asked for a slower pace", retry_after=wait)
        token = self._key()
        try:
            return self._transport.execute(request, auth=Bearer(token.value.reveal()))
        except KeyRefused:
            self._login.refuse(token)
            raise
        except PlatformUnavailable as error:
            if error.retry_after:
                self.throttle.delay(error.retry_after)
            raise

    def _key(self) -> AccessToken:
        try:
            return self._login.token()
        except PlatformUnavailable as error:
            if error.retry_after:
                self.throttle.delay(error.retry_after)
            raise PlatformAway(str(error), retry_after=error.retry_after) from None

    def _renew_schema(self) -> None:
        try:
            self._introspect()
        except PlatformUnavailable:
            if self._documents is None:
                raise
            # Keep the old schema and try again soon.
            self._schema_at = self._clock() - SCHEMA_LIFE + _SCHEMA_INTERVAL

    def _introspect(self) -> None:
        result = self.execute(Document(get_introspection_query(descriptions=False)), {})
        try:
            schema = build_client_schema(result.data, assume_valid=True)  # type: ignore[arg-type]  # checked by it
        except (GraphQLError, TypeError, KeyError, ValueError):
            raise PlatformError("iAdvize's answer to an introspection is no schema") from None
        documents = Documents(schema)
        self._schema_at = self._clock()
        if self._documents is None or documents.texts != self._documents.texts:
            self._documents = documents


def _graphql_url(settings: ClientSettings) -> str:
    """Return the endpoint of the client's platform (iAdvize docs, "GraphQL API")."""
    url = f"{settings.api_url.rstrip('/')}/graphql"
    return url if settings.platform == "ha" else f"{url}?platform={settings.platform}"
