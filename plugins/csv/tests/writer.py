"""A process that delivers until it is killed, and says on its output what it has receipts for.

Arguments: directory, first key, number of keys, seed. Each line is ``key version``.
"""

import random
import sys
from pathlib import Path

from chatferry import Conversation, Lead, Receipt, Record
from chatferry.testing import make_context
from chatferry_csv import CsvConnector


def lead(number: int, version: int) -> Lead:
    key = f"ha-335-{number:06d}"
    text = f'"{version}",\r\n' * (number % 40)
    return Lead(
        key=key,
        contact_key=f"c{number % 50}",
        conversation=Conversation(id=key, platform="ha", client_id=335),
        records={
            "contact": Record(values={"name": f"c{number % 50}"}),
            "conversation": Record(values={"version": version, "text": text}),
        },
    )


def main() -> None:
    directory, first, count, seed = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 10**9
    chance, version = random.Random(seed), seed * 1000
    connector = CsvConnector({}, make_context(directory))
    print("ready", flush=True)  # noqa: T201  (the test reads it)
    for _ in range(rounds):
        version += 1
        batch = [lead(first + chance.randrange(count), version) for _ in range(chance.choice((1, 20, 100)))]
        receipts = connector.deliver(batch)
        done = {one.key for one, receipt in zip(batch, receipts, strict=True) if isinstance(receipt, Receipt)}
        said = "".join(f"{key} {version}\n" for key in sorted(done))
        print(said, end="", flush=True)  # noqa: T201  (the test reads it)
    connector.close()


if __name__ == "__main__":
    main()
