"""The connector's name, settings and limits, and whether its harness declares all its capabilities."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

import re
from importlib.metadata import entry_points

import pytest
from marshmallow import ValidationError

from chatferry.connector import Connector
from chatferry.model import FieldMode
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import Cases, needs
from chatferry.testing.harness import Harness


class NamingCases(Cases):
    """What an administrator sees first."""

    def test_it_has_a_name_an_administrator_can_write(self, connector: Connector) -> None:
        """A short word in lower case."""
        assert re.fullmatch(r"[a-z][a-z0-9_-]{1,39}", connector.name)

    @needs(Capability.INSTALLED)
    def test_its_package_registers_it_under_its_name(self, connector: Connector) -> None:
        """The entry point's module, the hook and the class agree on one name."""
        found = {entry.name: entry for entry in entry_points(group="chatferry")}
        assert connector.name in found, f"no entry point {connector.name!r} in the group chatferry"
        plugin = found[connector.name].load()
        assert type(connector) in plugin.register_connectors()

    def test_an_unknown_setting_is_refused_by_name(self, crm: Harness) -> None:
        """A misspelt setting must not be ignored."""
        schema = crm.connector.Settings()
        with pytest.raises(ValidationError) as caught:
            schema.load({**crm.settings(), "no_such_setting": 1})
        assert "no_such_setting" in caught.value.messages

    def test_its_figures_make_sense(self, connector: Connector) -> None:
        """A batch has at least one lead, and the time-out is at most an hour."""
        assert connector.batch_size >= 1
        assert 0 < connector.timeout <= 3600  # noqa: PLR2004  (an hour)

    def test_its_objects_can_be_mapped(self, crm: Harness) -> None:
        """A destination maps the objects and the modes that the connector supports."""
        unknown = {shape.name for shape in crm.shapes} - set(crm.connector.mapping)
        assert not unknown, f"{unknown} is not in the connector's mapping"
        assert FieldMode.OVERWRITE in crm.connector.modes

    def test_what_it_can_do_is_declared(self, crm: Harness) -> None:
        """A capability of the connector that its harness does not declare would go untested."""
        shows = {
            Capability.BATCH: crm.connector.batch_size > 1,
            Capability.ERASE: crm.connector.erase is not Connector.erase,
            Capability.UPDATE_ONLY: crm.connector.update_only,
            Capability.FILL_IF_EMPTY: FieldMode.FILL_IF_EMPTY in crm.connector.modes,
            Capability.CREATE_ONLY: FieldMode.CREATE_ONLY in crm.connector.modes,
            Capability.CONTACTS: crm.contact is not None,
            Capability.CONVERSATIONS: crm.conversation is not None,
        }
        for capability, shown in shows.items():
            declared = capability in crm.capabilities
            assert shown == declared, f"{capability.name} is {'not ' * (not declared)}declared, yet {shown=}"
