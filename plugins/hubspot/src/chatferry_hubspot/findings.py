"""What ``check`` says, by how bad it is."""

from __future__ import annotations

from chatferry import Finding, Level


def ok(subject: str, message: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(level=Level.OK, subject=subject, message=message)


def warning(subject: str, message: str) -> Finding:
    """Return a finding somebody should know of."""
    return Finding(level=Level.WARNING, subject=subject, message=message)


def wrong(subject: str, message: str) -> Finding:
    """Return a finding that keeps leads from being delivered."""
    return Finding(level=Level.ERROR, subject=subject, message=message)
