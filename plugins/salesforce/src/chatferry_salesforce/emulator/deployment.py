"""Reading a package of metadata, and making what it describes: objects, fields, permission sets."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree as ET

from chatferry_salesforce.emulator.catalogue import LONGEST, custom_object
from chatferry_salesforce.emulator.fields import Field
from chatferry_salesforce.emulator.org import Org

_SPACE: Final = "{http://soap.sforce.com/2006/04/metadata}"
_OBJECT_NEEDS: Final = ("label", "pluralLabel", "nameField", "deploymentStatus", "sharingModel")
_TYPES: Final = {
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Email": "email",
    "Phone": "phone",
    "Url": "url",
    "Picklist": "picklist",
    "Checkbox": "boolean",
    "Number": "double",
    "Date": "date",
    "DateTime": "datetime",
    "Lookup": "reference",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One thing of a package, or why it cannot be made."""

    type: str
    name: str
    problem: str | None = None
    make: Callable[[Org], None] = field(default=lambda _: None, repr=False)


def apply(org: Org, components: list[Component]) -> None:
    """Make what the components describe: objects first, then fields, then permissions."""
    order = {"CustomObject": 0, "CustomField": 1, "PermissionSet": 2}
    for one in sorted(components, key=lambda one: order[one.type]):
        one.make(org)


def read_package(package: bytes) -> list[Component]:
    """Return what a zip with ``package.xml`` holds; a problem is a component too."""
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except zipfile.BadZipFile:
        return [Component(type="CustomObject", name="", problem="the file is no zip")]
    if "package.xml" not in files:
        return [Component(type="CustomObject", name="package.xml", problem="No package.xml found")]
    found: list[Component] = []
    for name, content in sorted(files.items()):
        stem, _, suffix = name.rpartition("/")[2].rpartition(".")
        if suffix not in _READERS:
            continue
        try:
            found += _READERS[suffix](stem, ET.fromstring(content))  # noqa: S314  (an emulator of the user's own)
        except ET.ParseError as error:
            found.append(Component(type="CustomObject", name=name, problem=f"Error parsing file: {error}"))
    return found


def _object(name: str, tree: ET.Element) -> Iterator[Component]:
    custom = name.endswith("__c")
    fields = list(tree.iterfind(f"{_SPACE}fields"))
    missing = [one for one in _OBJECT_NEEDS if tree.find(_SPACE + one) is None] if custom else []
    if missing:
        yield Component(type="CustomObject", name=name, problem=f"Required field is missing: {missing[0]}")
        return
    if custom:
        yield Component(type="CustomObject", name=name, make=lambda org: _make_object(org, name))
    for one in fields:
        yield _field(name, one)


def _make_object(org: Org, name: str) -> None:
    if name.lower() not in org.objects:
        prefix = f"a{len(org.deployments) % 36:02d}"
        org.objects[name.lower()] = custom_object(name, prefix)


def _field(kind: str, tree: ET.Element) -> Component:
    name = _said(tree, "fullName")
    whole, said = f"{kind}.{name}", _said(tree, "type")
    if not name.endswith("__c"):
        return Component(type="CustomField", name=whole, problem="Custom field names must end with __c")
    if said not in _TYPES:
        return Component(type="CustomField", name=whole, problem=f"Unknown field type: {said or 'none'}")
    if said in {"Text", "LongTextArea"} and not _said(tree, "length"):
        return Component(type="CustomField", name=whole, problem="Must specify 'length'")
    if said == "Lookup" and not _said(tree, "referenceTo"):
        return Component(type="CustomField", name=whole, problem="Must specify 'referenceTo'")
    length = int(_said(tree, "length") or 255)
    if said == "LongTextArea" and length > LONGEST:
        return Component(type="CustomField", name=whole, problem=f"length: at most {LONGEST}")
    made = _column(tree, name, said, length)
    return Component(type="CustomField", name=whole, make=lambda org: _make_field(org, kind, made))


def _column(tree: ET.Element, name: str, said: str, length: int) -> Field:
    return Field(
        name=name,
        type=_TYPES[said],
        length=length,
        required=_is_true(tree, "required"),
        external_id=_is_true(tree, "externalId"),
        unique=_is_true(tree, "unique"),
        case_sensitive=_is_true(tree, "caseSensitive"),
        restricted=_is_true(tree, "valueSet/restricted"),
        values=tuple(
            one.text or "" for one in tree.iterfind("/".join(_SPACE + step for step in _VALUE_NAMES))
        ),
        reference_to=(_said(tree, "referenceTo"),) if said == "Lookup" else (),
        relationship=f"{name.removesuffix('__c')}__r" if said == "Lookup" else None,
        custom=True,
    )


_VALUE_NAMES: Final = ("valueSet", "valueSetDefinition", "value", "fullName")


def _make_field(org: Org, kind: str, made: Field) -> None:
    table = org.objects.get("task" if kind == "Activity" else kind.lower())
    if table is None:
        return
    table.add_field(made, org.clock.now())
    if kind == "Contact" and org.settings.person_accounts:
        mirrored = made.name.removesuffix("__c") + "__pc"
        org.objects["account"].add_field(_mirrored(made, mirrored), org.clock.now())


def _mirrored(made: Field, name: str) -> Field:
    return Field(
        name=name,
        type=made.type,
        length=made.length,
        external_id=made.external_id,
        unique=made.unique,
        custom=True,
    )


def _permission_set(name: str, tree: ET.Element) -> Iterator[Component]:
    grants: set[tuple[str, str]] = set()
    for one in tree.iterfind(f"{_SPACE}objectPermissions"):
        if _is_true(one, "allowRead"):
            grants.add((_said(one, "object"), ""))
    for one in tree.iterfind(f"{_SPACE}fieldPermissions"):
        if _is_true(one, "readable"):
            kind, _, column = _said(one, "field").partition(".")
            grants.add(("Task" if kind == "Activity" else kind, column))
            if kind == "Contact":
                grants.add(("Account", column.removesuffix("__c") + "__pc"))
    if not _said(tree, "label"):
        yield Component(type="PermissionSet", name=name, problem="Required field is missing: label")
        return
    label = _said(tree, "label")
    yield Component(type="PermissionSet", name=name, make=lambda org: _make_set(org, name, label, grants))


def _make_set(org: Org, name: str, label: str, grants: set[tuple[str, str]]) -> None:
    """Make or change a permission set; what it grants is seen by those it is assigned to."""
    org.grants[name] = frozenset(grants)
    kind = org.objects["permissionset"]
    if not any(one.values.get("Name") == name for one in kind.live()):
        org.insert(kind, {"Name": name, "Label": label})
    org.grant()


def _said(tree: ET.Element, path: str) -> str:
    return (tree.findtext("/".join(_SPACE + step for step in path.split("/"))) or "").strip()


def _is_true(tree: ET.Element, path: str) -> bool:
    return _said(tree, path) == "true"


_READERS: Final[dict[str, Callable[[str, ET.Element], Iterator[Component]]]] = {
    "object": _object,
    "permissionset": _permission_set,
}
