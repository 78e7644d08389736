"""Settings of every test of the repository, the plugins' included."""

from hypothesis import settings

# A deadline fails on a busy machine and passes on an idle one: it says nothing of the code.
settings.register_profile("chatferry", deadline=None)
settings.load_profile("chatferry")
