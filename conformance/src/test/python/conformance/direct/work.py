"""The worker as a process: SIGTERM drains it."""

import asyncio
import json
import logging
import os
import signal

from conformance import journal, lifeline
from conformance.direct.client import Client, workers
from conformance.direct.worker import Worker


async def execute(attempt):
    """What the tasks of the test do; their arguments are one JSON object."""
    arguments = json.loads(attempt.task.arguments or b"{}")
    token = f"{attempt.token.epoch}-{attempt.token.number}"
    attempts = attempt.task.retry.attempts
    fields = {"task": attempt.task.name, "id": attempt.task.id, "token": token}
    journal.note("start", attempts=attempts, headers=dict(attempt.task.headers), **fields)
    seconds = arguments.get("ms", 10) / 1000
    match attempt.task.name:
        case "endless":  # until it is asked to stop
            await attempt.cancelled.wait()
        case "stubborn":  # whatever it is asked
            await asyncio.sleep(seconds)
        case _:
            await asyncio.sleep(seconds)
    outcome = workers.Completed()
    if attempts < arguments.get("failures", 0):
        outcome = workers.Failed(message="as it was told", final=arguments.get("final", False))
        if "retry_after_ms" in arguments:
            outcome.retry_after_ms = arguments["retry_after_ms"]
        if "max_attempts" in arguments:
            outcome.max_attempts = arguments["max_attempts"]
    elif attempt.cancelled.is_set():
        outcome = workers.Failed(message="was cancelled")
    journal.note("end", outcome=type(outcome).__name__, **fields)
    return outcome


async def main():
    lifeline.hold()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s")
    client = Client(os.environ["CONFORMANCE_BROKER"], os.environ.get("CONFORMANCE_SECRET"))
    name = os.environ["CONFORMANCE_WORKER"]
    worker = Worker(
        client,
        execute,
        lambda event, **fields: journal.note(event, worker=name, **fields),
        slots=int(os.environ["CONFORMANCE_SLOTS"]),
        concurrency=int(os.environ["CONFORMANCE_CONCURRENCY"]),
        application=os.environ["CONFORMANCE_APPLICATION"],
        name=name,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.drain)
    await worker.run()
    await client.close()


if __name__ == "__main__":
    asyncio.run(main())
