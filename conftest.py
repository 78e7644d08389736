"""Settings of every test of the repository, the plugins' included."""

import os

import pytest
from hypothesis import settings

# A deadline fails on a busy machine and passes on an idle one: it says nothing of the code.
settings.register_profile("chatferry", deadline=None)
settings.load_profile("chatferry")

# The engine's fixtures serve the tests of several rooms.
pytest_plugins = ["ferry_fixtures"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers a core: half of a test's time goes by in waiting for processes and sockets."""
    return 2 * (os.cpu_count() or 1)
