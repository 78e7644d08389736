"""Leads per second and peak memory: the connector beside one record per call, which most people write.

    python benchmarks/hubspot_leads.py --leads 3000 --baseline-leads 60 --latency 0.08

The emulator runs in a process of its own and answers every call after ``--latency`` seconds. Both
contestants run one after the other in processes of their own, against it, in the same run; the
figures that mean something are the ratios. The baseline keeps its connection open and writes
contact, conversation and association with one call each, by the same keys.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from chatferry import Conversation, Lead, Receipt, Record, Secret, Visitor
from chatferry.emulators import Server
from chatferry.model import Value
from chatferry.testing import make_context
from chatferry_hubspot.connector import HubSpot
from chatferry_hubspot.emulator import EMULATOR
from chatferry_hubspot.provision import apply, plan

TRANSCRIPT = "\n".join(f"[09:{n:02}] Visitor: a line of a conversation of usual length" for n in range(40))
MOMENT = datetime(2026, 11, 22, 9, 14, tzinfo=UTC)


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
    print(f"{'':<12}{'leads':>8}{'seconds':>10}{'leads/s':>10}{'calls':>8}{'peak MiB':>10}")
    for name, found in (("connector", ours), ("baseline", theirs)):
        rate = found["leads"] / found["seconds"]
        print(
            f"{name:<12}{found['leads']:>8}{found['seconds']:>10.2f}{rate:>10.1f}"
            f"{found['calls']:>8}{found['peak']:>10.1f}"
        )
    speed = ours["leads"] / ours["seconds"] / (theirs["leads"] / theirs["seconds"])
    calls = theirs["calls"] / theirs["leads"] / (ours["calls"] / ours["leads"])
    print(f"ratio: {speed:.0f} times the leads per second, 1/{calls:.0f} of the calls per lead,")
    print(f"       {ours['peak'] / theirs['peak']:.2f} times the peak memory, {latency * 1000:.0f} ms away")


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
    app = EMULATOR.create(faults=EMULATOR.board(), latency=latency, burst=1_000_000, daily=100_000_000)
    with Server(app) as server:
        connector = connect(server.url)
        list(apply(connector.client, plan(connector.client, {})))
        connector.close()
        print(server.url, flush=True)
        sys.stdin.read()


def contest(contestant: str, url: str, leads: int) -> None:
    """Deliver the leads and print how it went."""
    began = time.perf_counter()
    calls = with_connector(url, leads) if contestant == "connector" else one_by_one(url, leads)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"leads": leads, "seconds": seconds, "calls": calls, "peak": peak}))


def lead(number: int) -> Lead:
    """Return a lead of usual size; every third visitor is anonymous."""
    email = f"visitor{number}@example.com" if number % 3 else None
    visitor = Visitor(id=f"web-{number}", first_name="Ana", last_name=f"Petrova {number}", email=email)
    conversation = Conversation(
        id=f"c{number}", platform="ha", client_id=335, visitor=visitor, created_at=MOMENT, closed_at=MOMENT
    )
    contact: dict[str, Value] = {
        "firstname": "Ana",
        "lastname": f"Petrova {number}",
        **({"email": email} if email else {}),
    }
    chat: dict[str, Value] = {
        "subject": f"Conversation {number}",
        "started_at": MOMENT,
        "transcript": TRANSCRIPT,
    }
    return Lead(
        key=conversation.key,
        contact_key=email or f"web-{number}",
        email=email,
        conversation=conversation,
        records={"contact": Record(values=contact), "conversation": Record(values=chat)},
    )


def connect(url: str) -> HubSpot:
    """Return a connector for the emulator."""
    settings = {"access_token": Secret("pat-emulator"), "base_url": url}
    return HubSpot(HubSpot.Settings().load(settings), make_context(Path()))


def with_connector(url: str, leads: int) -> int:
    """Deliver in the connector's batches."""
    connector = connect(url)
    for start in range(0, leads, connector.batch_size):
        batch = [lead(number) for number in range(start, min(start + connector.batch_size, leads))]
        outcomes = connector.deliver(batch)
        assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    connector.close()
    return connector.client.calls


def one_by_one(url: str, leads: int) -> int:
    """Write contact, conversation and association of each lead with a call each."""
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

        for each in map(lead, range(leads)):
            name = "email" if each.email else "chat_visitor_id"
            names = {key: str(value) for key, value in each.records["contact"].values.items()}
            contact = upsert("contacts", name, each.contact_key, names)
            chat = {"subject": each.key, "started_at": "2026-11-22T09:14:00Z", "transcript": TRANSCRIPT}
            conversation = upsert("chat_conversation", "conversation_id", each.key, chat)
            pair = {"from": {"id": conversation}, "to": {"id": contact}}
            path = "/crm/associations/2026-09/chat_conversation/0-1/batch/associate/default"
            post(path, {"inputs": [pair]})
    return calls


if __name__ == "__main__":
    main()
