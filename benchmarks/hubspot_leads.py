"""Leads per second and peak memory: the connector beside one record per call, which most people write.

    python benchmarks/hubspot_leads.py --leads 3000 --baseline-leads 60 --latency 0.08

The emulator runs in a process of its own and answers every call after ``--latency`` seconds. Both
contestants run one after the other in processes of their own, against it, in the same run; the
figures that mean something are the ratios. The baseline is a script with ``requests`` and nothing
else; it keeps its connection open and writes contact, conversation and association with one call
each, by the same keys. "start" is the memory of a process that has imported what it needs.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Each process imports what its part needs and nothing else, or their memory could not be compared.
if TYPE_CHECKING:
    from chatferry import Lead
    from chatferry_hubspot.connector import HubSpot

TRANSCRIPT = "\n".join(f"[09:{n:02}] Visitor: a line of a conversation of usual length" for n in range(40))
CLOSED = "2026-11-22T09:14:00Z"


def main() -> None:
    """Run both contestants and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leads", type=int, default=3000)
    parser.add_argument("--baseline-leads", type=int, default=60)
    parser.add_argument("--latency", type=float, default=0.08)
    parser.add_argument("--run", choices=["emulator", "connector", "baseline"], help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run == "emulator":
        serve(options.latency)
    elif options.run is not None:
        contest(options.run, options.url, options.leads)
    else:
        compare(options.leads, options.baseline_leads, options.latency)


def compare(leads: int, baseline_leads: int, latency: float) -> None:
    """Measure both against one emulator each and print the ratios."""
    with emulator(latency) as url:
        ours = start("connector", url, leads)
    with emulator(latency) as url:
        theirs = start("baseline", url, baseline_leads)
    print(f"{'':<12}{'leads':>8}{'seconds':>10}{'leads/s':>10}{'calls':>8}{'start MiB':>11}{'peak MiB':>10}")
    for name, found in (("connector", ours), ("baseline", theirs)):
        rate = found["leads"] / found["seconds"]
        print(
            f"{name:<12}{found['leads']:>8}{found['seconds']:>10.2f}{rate:>10.1f}"
            f"{found['calls']:>8}{found['start']:>11.1f}{found['peak']:>10.1f}"
        )
    speed = ours["leads"] / ours["seconds"] / (theirs["leads"] / theirs["seconds"])
    calls = theirs["calls"] / theirs["leads"] / (ours["calls"] / ours["leads"])
    print(f"ratio: {speed:.0f} times the leads per second, 1/{calls:.0f} of the calls per lead,")
    grown = [found["peak"] - found["start"] for found in (ours, theirs)]
    print(f"       {ours['peak'] / theirs['peak']:.2f} times the peak memory, {latency * 1000:.0f} ms away;")
    print(f"       {grown[0]:.1f} MiB more than at the start, against {grown[1]:.1f}")


def start(contestant: str, url: str, leads: int) -> dict[str, Any]:
    """Run a contestant in a process of its own."""
    arguments = ["--run", contestant, "--url", url, "--leads", str(leads)]
    done = subprocess.run(
        [sys.executable, __file__, *arguments], stdout=subprocess.PIPE, check=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def emulator(latency: float) -> Iterator[str]:
    """Run a provisioned emulator in a process of its own; it ends when its input does."""
    command = [sys.executable, __file__, "--run", "emulator", "--latency", str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def serve(latency: float) -> None:
    """Serve an account without limits, say where, and wait for the end of the input."""
    from chatferry.emulators import Server  # noqa: PLC0415  (this part alone)
    from chatferry_hubspot.emulator import EMULATOR  # noqa: PLC0415  (this part alone)
    from chatferry_hubspot.provision import apply, plan  # noqa: PLC0415  (this part alone)

    app = EMULATOR.create(faults=EMULATOR.board(), latency=latency, burst=1_000_000, daily=100_000_000)
    with Server(app) as server:
        connector = connect(server.url)
        list(apply(connector.client, plan(connector.client, {})))
        connector.close()
        print(server.url, flush=True)
        sys.stdin.read()


def contest(contestant: str, url: str, leads: int) -> None:
    """Deliver the leads and print how it went."""
    if contestant == "connector":
        import chatferry_hubspot.connector  # noqa: F401, PLC0415  (so that it is there at the start)
    else:
        import requests  # noqa: F401, PLC0415  (the same)
    start = memory()
    began = time.perf_counter()
    calls = with_connector(url, leads) if contestant == "connector" else one_by_one(url, leads)
    seconds = time.perf_counter() - began
    print(json.dumps({"leads": leads, "seconds": seconds, "calls": calls, "start": start, "peak": memory()}))


def memory() -> float:
    """Return the most memory this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def person(number: int) -> dict[str, str]:
    """Return a visitor of usual size; every third is anonymous."""
    named = {"firstname": "Ana", "lastname": f"Petrova {number}"}
    return {**named, "email": f"visitor{number}@example.com"} if number % 3 else named


def lead(number: int) -> Lead:
    """Return a visitor's conversation as the engine hands it over."""
    from datetime import datetime  # noqa: PLC0415  (this part alone)

    from chatferry import Conversation, Lead, Record, Visitor  # noqa: PLC0415  (this part alone)

    contact, moment = person(number), datetime.fromisoformat(CLOSED)
    email = contact.get("email")
    visitor = Visitor(id=f"web-{number}", first_name="Ana", last_name=f"Petrova {number}", email=email)
    conversation = Conversation(
        id=f"c{number}", platform="ha", client_id=335, visitor=visitor, created_at=moment, closed_at=moment
    )
    chat = {"subject": f"Conversation {number}", "started_at": moment, "transcript": TRANSCRIPT}
    return Lead(
        key=conversation.key,
        contact_key=email or f"web-{number}",
        email=email,
        conversation=conversation,
        records={"contact": Record(values=dict(contact)), "conversation": Record(values=chat)},
    )


class Forgetful:
    """A memory for a connector with a static token and custom objects: it keeps next to nothing."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        """Return what was put."""
        return self.kept.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep it while this process runs."""
        self.kept[key] = value

    def forget(self, key: str) -> None:
        """Drop it."""
        self.kept.pop(key, None)


def connect(url: str) -> HubSpot:
    """Return a connector for the emulator."""
    from chatferry import Context, Secret  # noqa: PLC0415  (this part alone)
    from chatferry_hubspot.connector import HubSpot  # noqa: PLC0415  (this part alone)

    settings = HubSpot.Settings().load({"access_token": Secret("pat-emulator"), "base_url": url})
    context = Context(destination="benchmark", directory=Path(), memory=Forgetful(), fields={})
    return HubSpot(settings, context)


def with_connector(url: str, leads: int) -> int:
    """Deliver in the connector's batches."""
    from chatferry import Receipt  # noqa: PLC0415  (this part alone)

    connector = connect(url)
    for start in range(0, leads, connector.batch_size):
        batch = [lead(number) for number in range(start, min(start + connector.batch_size, leads))]
        outcomes = connector.deliver(batch)
        assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    connector.close()
    return connector.client.calls


def one_by_one(url: str, leads: int) -> int:
    """Write contact, conversation and association of each lead with a call each."""
    import requests  # noqa: PLC0415  (this part alone)

    calls = 0
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer pat-emulator"

        def post(path: str, body: dict[str, Any]) -> Any:
            nonlocal calls
            calls += 1
            answer = session.post(url + path, json=body, timeout=30)
            answer.raise_for_status()
            return answer.json()

        def upsert(kind: str, name: str, value: str, properties: dict[str, str]) -> str:
            one = {"id": value, "idProperty": name, "properties": {name: value, **properties}}
            body = post(f"/crm/objects/2026-09/{kind}/batch/upsert", {"inputs": [one]})
            return str(body["results"][0]["id"])

        for number in range(leads):
            known = person(number)
            name = "email" if "email" in known else "chat_visitor_id"
            contact = upsert("contacts", name, known.get(name, f"web-{number}"), known)
            chat = {"subject": f"Conversation {number}", "started_at": CLOSED, "transcript": TRANSCRIPT}
            conversation = upsert("chat_conversation", "conversation_id", f"ha-335-c{number}", chat)
            pair = {"from": {"id": conversation}, "to": {"id": contact}}
            path = "/crm/associations/2026-09/chat_conversation/0-1/batch/associate/default"
            post(path, {"inputs": [pair]})
    return calls


if __name__ == "__main__":
    main()
