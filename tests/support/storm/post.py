"""The post between two services. It delivers every message, but some late, some twice, and in random order."""

from __future__ import annotations

import json
import threading
from random import Random
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable

LATE = 0.25  # of the messages
TWICE = 0.15  # of the messages
LATEST_SECONDS = 8


class Post(threading.Thread):
    """Carries messages from one queue to another until it is stopped. `bodies` has every message seen."""

    def __init__(self, sqs: Any, source: str, target: str, seed: str) -> None:
        """Carry from the queue with the URL `source` to `target`."""
        super().__init__(daemon=True)
        self._sqs, self.source, self.target = sqs, source, target
        self._random = Random(seed)
        self._ended = threading.Event()
        self.bodies: list[str] = []
        self.late = self.twice = 0

    def run(self) -> None:
        """Continue after any error: a message that was not delivered is still in the first queue."""
        while not self._ended.is_set():
            try:
                self._carry()
            except (BotoCoreError, ClientError):
                self._ended.wait(0.2)

    def stop(self) -> None:
        """Carry no more, and wait for what is being carried."""
        self._ended.set()
        self.join()

    def deliver(self, bodies: Iterable[str]) -> None:
        """Put messages into the target in random order."""
        waiting = list(bodies)
        self._random.shuffle(waiting)
        for start in range(0, len(waiting), 10):
            self._send([(body, 0) for body in waiting[start : start + 10]])

    def _carry(self) -> None:
        answer = self._sqs.receive_message(QueueUrl=self.source, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        messages = answer.get("Messages", [])
        if not messages:
            return
        self._random.shuffle(messages)
        bodies = [message["Body"] for message in messages if "Event" not in json.loads(message["Body"])]
        again = [body for body in bodies if self._random.random() < TWICE]
        late = [body for body in bodies if self._random.random() < LATE]
        for group in ([(body, self._delay() if body in late else 0) for body in bodies], self._delayed(again)):
            if group:
                self._send(group)
        self.bodies += bodies
        self.late += len(late)
        self.twice += len(again)
        handled = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)
        ]
        self._sqs.delete_message_batch(QueueUrl=self.source, Entries=handled)

    def _delayed(self, bodies: list[str]) -> list[tuple[str, int]]:
        return [(body, self._delay()) for body in bodies]

    def _delay(self) -> int:
        return self._random.randint(1, LATEST_SECONDS)

    def _send(self, group: list[tuple[str, int]]) -> None:
        entries = [
            {"Id": str(number), "MessageBody": body, "DelaySeconds": delay}
            for number, (body, delay) in enumerate(group)
        ]
        self._sqs.send_message_batch(QueueUrl=self.target, Entries=entries)
