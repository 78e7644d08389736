"""What ``chatferry check`` says of a destination's directory and files. Nothing here writes."""

from __future__ import annotations

import os
from collections.abc import Iterator

from chatferry import Finding, Level
from chatferry_csv.adopt import foreign_file, header_of
from chatferry_csv.records import OWN_COLUMNS
from chatferry_csv.store import Store

_MIN_FREE = 200 * 1024 * 1024

_ALL = os.R_OK | os.W_OK | os.X_OK
_EFFECTIVE = os.access in os.supports_effective_ids
"""Whether access checks can use the effective user id of the process."""


def examine(store: Store, trouble: str) -> list[Finding]:
    """Check everything a delivery needs."""
    found = [_directory(store)]
    if found[0].level is Level.OK:
        found += [_space(store), *_files(store)]
    if trouble:
        found.append(Finding(level=Level.WARNING, subject="publication", message=trouble))
    return found


def _directory(store: Store) -> Finding:
    path = store.directory
    if not path.is_dir():
        message = f"{path} does not exist or is no directory: create it, or mount it"
    elif not os.access(path, _ALL, effective_ids=_EFFECTIVE) or os.statvfs(path).f_flag & os.ST_RDONLY:
        message = f"{path} may not be written: give the user chatferry runs as the right to write there"
    else:
        return Finding(level=Level.OK, subject="directory", message=f"{path} can be written")
    return Finding(level=Level.ERROR, subject="directory", message=message)


def _space(store: Store) -> Finding:
    disk = os.statvfs(store.directory)
    free = disk.f_bavail * disk.f_frsize
    largest = max((store.path(k).stat().st_size for k in store.tables if store.path(k).exists()), default=0)
    enough = free > max(_MIN_FREE, 2 * largest)
    advice = "" if enough else "; a rewrite needs as much as the largest file holds: free some"
    return Finding(
        level=Level.OK if enough else Level.WARNING,
        subject="free space",
        message=f"{free >> 20} MiB{advice}",
    )


def _files(store: Store) -> Iterator[Finding]:
    for kind in store.tables:
        path = store.path(kind)
        level, message = Level.OK, f"{path} will be created with the first lead"
        if path.exists():
            level, message = _header(store, kind)
        yield Finding(level=level, subject=path.name, message=message)


def _header(store: Store, kind: str) -> tuple[Level, str]:
    path, own = store.path(kind), list(OWN_COLUMNS[kind])
    try:
        header = header_of(path, store.form)
    except OSError as error:
        return Level.ERROR, f"{path} cannot be read ({error.strerror}): check its permissions"
    if not header or header[: len(own)] == own:
        return (
            Level.OK,
            f"{path} is a file of this connector" if header else f"{path} is empty and will be rewritten",
        )
    if store.exists:
        return (
            Level.WARNING,
            f"{path} has another header or delimiter; it will be rewritten from the index",
        )
    return Level.ERROR, foreign_file(path, own, store.form)
