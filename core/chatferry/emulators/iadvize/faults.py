"""The names of the emulator's misbehaviours; each may be given a rate or a number of times."""

from __future__ import annotations

from collections.abc import Mapping

from chatferry.emulators.faults import Fault

HTTP_FAULTS: Mapping[str, str] = {
    "unauthorized": "GraphQL refuses a valid token with 401.",
    "token-revoked": "Every token that was given out stops being valid.",
    "login-refused": "The token endpoint refuses right credentials as invalid_grant.",
    "login-limited": "The token endpoint answers 429; =SECONDS adds Retry-After.",
    "rate-limited": "GraphQL answers 429; =SECONDS adds Retry-After.",
    "server-error": "GraphQL answers 500 as JSON; =STATUS takes another status.",
    "server-error-html": "GraphQL answers 502 with a page of HTML; =STATUS takes another status.",
    "slow": "GraphQL takes 2 more seconds; =SECONDS takes another time.",
    "hang": "GraphQL is silent for 60 seconds, then drops the connection; =SECONDS takes another time.",
    "reset": "GraphQL resets the connection instead of answering.",
    "truncated": "GraphQL announces a whole answer and sends half of it.",
    "html": "GraphQL answers 200 with a page of HTML.",
    "garbage": "GraphQL answers 200 with JSON that ends too early.",
}
GRAPHQL_FAULTS: Mapping[str, str] = {
    "graphql-errors": "One root field of the document fails; the others have data.",
    "graphql-refused": "The whole document fails: 200 with errors and null data.",
    "document-too-large": "Documents with more than 10 conversations are refused; =N takes another limit.",
    "late-data": (
        "A conversation that closed is null on its first read; =N on the first N, =Ns for N seconds."
    ),
    "late-close": (
        "A conversation that closed has no closedAt on its first read; =N on the first N, =Ns for N seconds."
    ),
    "late-search": "closedConversations lacks what closed 5 seconds ago; =SECONDS takes another time.",
    "erased": "The visitor comes back with every personal field null.",
    "no-visitor": "The visitor of a conversation is null.",
    "no-messages": "The messages of a conversation are null.",
    "newest-first": "Messages come in the reverse order.",
    "circular-pages": "The last page of messages, or of closed conversations, leads on to the second again.",
    "endless-pages": (
        "After the last page of messages, or of closed conversations, it comes again, always by a new cursor."
    ),
}
WEBHOOK_FAULTS: Mapping[str, str] = {
    "duplicate": "A webhook is sent twice, with one eventId.",
    "reordered": "A webhook is held back for a second, so that later ones come first; =SECONDS for longer.",
    "dropped": "A webhook is never sent.",
    "bad-signature": "A webhook is signed with another secret.",
}
FAULTS: Mapping[str, str] = {**HTTP_FAULTS, **GRAPHQL_FAULTS, **WEBHOOK_FAULTS}


def number(fault: Fault, default: float) -> float:
    """Return the number after ``=``, or the default."""
    return default if fault.value is None else float(fault.value)
