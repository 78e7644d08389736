"""Connectors an administrator cannot use or trust, one defect each."""

# ruff: noqa: RUF012  (a defect is no place for annotations)

from __future__ import annotations

from marshmallow import EXCLUDE

from chatferry.testing import Capability
from chatferry.testing.sample import SampleConnector, SampleHarness


class NameForHumans(SampleConnector):
    caught_by = "test_it_has_a_name_an_administrator_can_write"
    name = "Sample CRM"


class NotRegistered(SampleConnector):
    caught_by = "test_its_package_registers_it_under_its_name"
    harness_changes = {"capabilities": frozenset(Capability)}


class IgnoresUnknownSettings(SampleConnector):
    caught_by = "test_an_unknown_setting_is_refused_by_name"

    class Settings(SampleConnector.Settings):
        class Meta:
            unknown = EXCLUDE


class NoTime(SampleConnector):
    caught_by = "test_its_figures_make_sense"
    timeout = 0.0


class UnmappableObject(SampleConnector):
    caught_by = "test_its_objects_can_be_mapped"
    mapping = {"contact": {}}


class CanMoreThanItSays(SampleConnector):
    caught_by = "test_what_it_can_do_is_declared"
    harness_changes = {"capabilities": SampleHarness.capabilities - {Capability.ERASE}}
