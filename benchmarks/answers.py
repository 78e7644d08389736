"""Where answers end: what ``markers`` finds in generated conversations, beside what is known to be right.

Run it with ``python benchmarks/answers.py [--conversations 2000] [--seed 7]``. It counts answers and
messages; no time is measured.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from chatferry import Answer, Conversation
from chatferry.emulators.iadvize import IAdvizeWorld
from chatferry.iadvize.parse import parse_conversation
from chatferry.leads.strategies.markers import Markers

RULES: Mapping[str, Mapping[str, Any]] = {
    "`until_next_marker = true`": {"until_next_marker": True},
    "`interjections = 0`": {"interjections": 0},
    "`interjections = 1` (default)": {},
    "`interjections = 2`": {"interjections": 2},
    "`interjections = 5`": {"interjections": 5},
}


def conversations(world: IAdvizeWorld) -> Iterator[Conversation]:
    """Yield what the emulator has, as chatferry reads it."""
    for conversation_id in world.ids:
        client, _ = world.place_of(conversation_id)
        raw = dict(world.node(conversation_id) or {})
        edges = [{"node": node} for node in raw["lines"]]
        yield parse_conversation(
            raw | {"messages": {"edges": edges}}, platform=client.platform, client_id=client.client_id
        )


def judge(
    world: IAdvizeWorld, conversation: Conversation, answers: Mapping[str, Answer], count: Counter[str]
) -> None:
    """Count which answers are right, and which messages they lack or have too many."""
    truth = world.truth(conversation.id)
    for name, right in truth.answers.items():
        found = answers.get(name)
        ids = found.message_ids if found else ()
        said = sum(bool(m.text) for m in conversation.messages if m.id in ids)
        count["answers"] += 1
        count["right"] += found is not None and found.value in right.values
        count["lacking"] += len(set(right.message_ids) - set(ids))
        count["too many"] += max(said - len(set(right.message_ids) & set(ids)) - bool(right.aside), 0)
        count["longest"] = max(count["longest"], len(ids))
    count["invented"] += sum(name not in truth.answers and name not in truth.files_only for name in answers)


def main() -> None:
    """Print a line for each way to end an answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with IAdvizeWorld(conversations=options.conversations, seed=options.seed) as world:
        read = list(conversations(world))
        print(
            "| setting | right | messages lacking | messages too many | longest answer, messages | invented |"
        )
        print("|---|---|---|---|---|---|")
        for rule, settings in RULES.items():
            markers, count = Markers(Markers.Settings().load(settings)), Counter[str]()
            for conversation in read:
                answers = {answer.name: answer for answer in markers.extract(conversation, {})}
                judge(world, conversation, answers, count)
            print(
                f"| {rule} | {count['right']} of {count['answers']} | {count['lacking']} "
                f"| {count['too many']} | {count['longest']} | {count['invented']} |"
            )


if __name__ == "__main__":
    main()
