"""Deploying objects, fields and permission sets: Metadata API over REST, metadata format with package.xml."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chatferry_salesforce.emulator.calls import Answer, Call
from chatferry_salesforce.emulator.deployment import Component, apply, read_package
from chatferry_salesforce.emulator.errors import ApiError, not_found
from chatferry_salesforce.emulator.ids import PREFIXES


@dataclass(slots=True, kw_only=True, eq=False)
class Deployment:
    """A deployment under way: it is done at the second look."""

    id: str
    package: bytes
    check_only: bool
    looks: int = 0
    components: list[Component] | None = None


def begin(call: Call) -> Answer:
    """Take a package."""
    try:
        options = json.loads(call.files["json"])["deployOptions"]
        package = call.files["file"]
    except (KeyError, ValueError, TypeError):
        message = "multipart/form-data with the parts json (deployOptions) and file (a zip) is expected"
        raise ApiError(400, "INVALID_INPUT", message) from None
    made = Deployment(
        id=call.org.next_id(PREFIXES["DeployRequest"]),
        package=package,
        check_only=options.get("checkOnly") is True,
    )
    call.org.deployments[made.id] = made
    body = {"id": made.id, "deployOptions": options, "deployResult": _result(made, "Pending")}
    return Answer(status=201, body=body)


def look(call: Call) -> Answer:
    """Say how a deployment is."""
    made = call.org.deployments.get(call.path["deployment"])
    if made is None:
        raise not_found()
    made.looks += 1
    if made.looks == 1:
        return Answer(body={"id": made.id, "deployResult": _result(made, "InProgress")})
    if made.components is None:
        made.components = read_package(made.package)
        if not made.check_only and all(one.problem is None for one in made.components):
            apply(call.org, made.components)
    failed = any(one.problem is not None for one in made.components)
    return Answer(body={"id": made.id, "deployResult": _result(made, "Failed" if failed else "Succeeded")})


def _result(made: Deployment, status: str) -> dict[str, Any]:
    components = made.components or []
    failures = [one for one in components if one.problem is not None]
    return {
        "id": made.id,
        "status": status,
        "done": status in {"Succeeded", "Failed"},
        "success": status == "Succeeded",
        "checkOnly": made.check_only,
        "numberComponentsTotal": len(components),
        "numberComponentsDeployed": len(components) - len(failures),
        "numberComponentErrors": len(failures),
        "details": {
            "componentFailures": [
                {"fullName": one.name, "componentType": one.type, "problem": one.problem, "success": False}
                for one in failures
            ],
            "componentSuccesses": [
                {"fullName": one.name, "componentType": one.type, "success": True}
                for one in components
                if one.problem is None
            ],
        },
    }
