"""A worker of one broker: keeps a stream open, whatever happens to it."""

import asyncio
import random

import grpc

from conformance.direct.client import WORK, workers

# The worker is wrong: it would fail in the same way again.
HOPELESS = {
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNIMPLEMENTED,
}
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 3
MOST_NAMED = 10_000
BATCH = 0.001


class Attempt:
    """One delivery of a task."""

    def __init__(self, delivery):
        self.task, self.token = delivery.task, delivery.token
        self.begun = False
        self.cancelled = asyncio.Event()
        self.reason = None

    def key(self):
        return key(self.task.id, self.token)

    def result(self, outcome):
        result = workers.Result(id=self.task.id, token=self.token)
        name = {"Completed": "completed", "Failed": "failed", "Released": "released"}
        getattr(result, name[type(outcome).__name__]).CopyFrom(outcome)
        return result


def key(identifier, token):
    return identifier, token.epoch, token.number


class Worker:
    """Runs `execute(attempt)`, which returns Completed or Failed, for each delivery: as many at a
    time as `concurrency`, while the others of its slots wait.

    `observe(event, **fields)` is told what a test wants to know.
    """

    def __init__(self, client, execute, observe, *, slots, concurrency, application, name, namespaces=()):
        self._client, self._execute, self._observe = client, execute, observe
        self._hello = workers.Hello(
            application=application,
            namespaces=namespaces,
            slots=slots,
            worker=name,
            version="conformance/1",
        )
        self._room = asyncio.Semaphore(concurrency)
        self._attempts = {}  # by key, until their result is sent
        self._runs = set()  # keeps the coroutines from being collected
        self._results = []  # to be sent
        self._unanswered = {}  # lists of results, by number, of the present stream
        self._work = asyncio.Event()  # something is to be written
        self._draining = self._told_to_stop = False
        self._ended_well = False

    def drain(self):
        """Takes no more, and ends when all that was begun has been answered."""
        self._draining = True
        for attempt in list(self._attempts.values()):
            if not attempt.begun:
                self._finish(attempt, workers.Released())
        self._work.set()

    async def run(self):
        pause = SHORTEST_PAUSE
        while not self._ended_well:
            stream = self._client.stream(WORK, workers.BrokerMessage)
            welcomed = False
            try:
                welcome = await self._greet(stream)
                welcomed = True
                await self._serve(stream, welcome)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                pass  # The status says it.
            stream.cancel() if not stream.done() else None
            code = await stream.code()
            self._observe("stream_ended", status=code.name)
            if code in HOPELESS:
                raise RuntimeError(f"The stream ended with {code.name}: {await stream.details()}")
            if self._ended_well:
                return
            for results in self._unanswered.values():
                self._results.extend(results)
            self._unanswered.clear()
            if self._draining and not self._attempts and not self._results:
                return  # Nothing is owed to the broker.
            pause = SHORTEST_PAUSE if welcomed else min(LONGEST_PAUSE, pause * 2)
            await asyncio.sleep(pause * random.uniform(0.5, 1))

    async def _greet(self, stream):
        hello = workers.Hello()
        hello.CopyFrom(self._hello)
        if self._draining:
            hello.slots = 0
        await stream.write(workers.WorkerMessage(hello=hello))
        first = await stream.read()
        if first is grpc.aio.EOF:
            raise asyncio.InvalidStateError("the stream ended before its Welcome")
        self._observe("welcome", broker=first.welcome.broker)
        return first.welcome

    async def _serve(self, stream, welcome):
        reader = asyncio.create_task(self._read(stream))
        writer = asyncio.create_task(self._write(stream, welcome))
        await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
        if writer.done() and not writer.exception():
            await reader  # It half-closed: the broker ends the stream.
            self._ended_well = await stream.code() is grpc.StatusCode.OK
            return
        # The stream is broken. Its status comes to the reader.
        writer.cancel()
        await asyncio.gather(reader, writer, return_exceptions=True)

    # Writing

    async def _write(self, stream, welcome):
        interval = (welcome.lease.seconds + welcome.lease.nanos / 1e9) / 3
        most = min(welcome.max_results, MOST_NAMED)
        number, told = 0, False
        await self._beat(stream)
        beat = asyncio.get_running_loop().time()
        while True:
            if self._draining and not told:
                await stream.write(workers.WorkerMessage(slots=workers.Slots(slots=0)))
                told = True
            while self._results:
                batch, self._results = self._results[:most], self._results[most:]
                number += 1
                self._unanswered[number] = batch
                results = workers.Results(number=number, results=batch)
                await stream.write(workers.WorkerMessage(results=results))
            if told and not self._attempts and not self._unanswered:
                await stream.done_writing()
                return
            now = asyncio.get_running_loop().time()
            if now >= beat + interval:
                await self._beat(stream)
                beat = now
            try:
                await asyncio.wait_for(self._work.wait(), max(0.01, beat + interval - now))
                await asyncio.sleep(BATCH)
            except asyncio.TimeoutError:
                pass
            self._work.clear()

    async def _beat(self, stream):
        """Names all attempts, in several messages if they are many."""
        attempts = list(self._attempts.values())
        for first in range(0, len(attempts), MOST_NAMED):
            named = [
                workers.TaskHeartbeat(id=attempt.task.id, token=attempt.token)
                for attempt in attempts[first : first + MOST_NAMED]
            ]
            await stream.write(workers.WorkerMessage(heartbeat=workers.Heartbeat(tasks=named)))

    # Reading

    async def _read(self, stream):
        while (message := await stream.read()) is not grpc.aio.EOF:
            match message.WhichOneof("message"):
                case "deliveries":
                    for delivery in message.deliveries.deliveries:
                        self._begin(Attempt(delivery))
                case "results_ack":
                    self._acknowledged(message.results_ack)
                case "cancellations":
                    for cancellation in message.cancellations.cancellations:
                        self._cancel(cancellation)
                case "drain":
                    self._observe("drain", grace=message.drain.grace.seconds)
                case _:
                    pass  # Of a later version.

    def _begin(self, attempt):
        self._attempts[attempt.key()] = attempt
        if self._draining:
            self._finish(attempt, workers.Released())
            return
        run = asyncio.create_task(self._run(attempt))
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)

    async def _run(self, attempt):
        async with self._room:
            if attempt.key() not in self._attempts:
                return  # It was released.
            if attempt.cancelled.is_set():
                self._finish(attempt, workers.Released())
                return
            attempt.begun = True
            try:
                outcome = await self._execute(attempt)
            except Exception as error:
                outcome = workers.Failed(message=f"{type(error).__name__}: {error}")
            self._finish(attempt, outcome)

    def _finish(self, attempt, outcome):
        if self._attempts.pop(attempt.key(), None):
            self._results.append(attempt.result(outcome))
            self._work.set()

    def _acknowledged(self, ack):
        results = self._unanswered.pop(ack.number)
        statuses = ack.statuses or [workers.RESULT_STATUS_ACCEPTED] * len(results)
        for result, status in zip(results, statuses, strict=True):
            self._observe(
                "acknowledged",
                id=result.id,
                token=str(result.token.number),
                outcome=result.WhichOneof("outcome"),
                status=workers.ResultStatus.Name(status).removeprefix("RESULT_STATUS_"),
            )
        self._work.set()

    def _cancel(self, cancellation):
        attempt = self._attempts.get(key(cancellation.id, cancellation.token))
        self._observe(
            "cancellation",
            id=cancellation.id,
            known=attempt is not None,
            reason=workers.CancelReason.Name(cancellation.reason).removeprefix("CANCEL_REASON_"),
        )
        if attempt:
            attempt.reason = cancellation.reason
            attempt.cancelled.set()
