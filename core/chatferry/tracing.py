"""Where an error was raised, fit for a log: a traceback's texts and values may be personal data."""

from __future__ import annotations

import traceback


def frames(error: BaseException) -> str:
    """Return where an error was raised, innermost last, without its message and any values."""
    summary = traceback.extract_tb(error.__traceback__)
    return " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in summary)
