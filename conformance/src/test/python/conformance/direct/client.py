"""Calls of the TaskService, and signatures."""

import asyncio
import collections
import hashlib
import hmac
import random
import time

import grpc

messages = grpc.protos("taskbroker/v1/task.proto")
tasks = grpc.protos("taskbroker/v1/task_service.proto")
workers = grpc.protos("taskbroker/v1/worker_service.proto")

TASK_SERVICE = "/taskbroker.v1.TaskService/"
WORK = "/taskbroker.v1.WorkerService/Work"

# The fate of an enqueue that ended so is unknown: it is repeated unchanged.
UNKNOWN_FATE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
MOST_UNANSWERED = 16


class Client:
    """A connection to one broker. Calls may run beside each other."""

    def __init__(self, address, secret=None):
        self._channel = grpc.aio.insecure_channel(address, options=[("grpc.max_reconnect_backoff_ms", 1000)])
        self._secret = secret

    async def close(self):
        await self._channel.close()

    def _signature(self, path, signed):
        return hmac.new(self._secret.encode(), path.encode() + b":" + signed, hashlib.sha256).hexdigest()

    async def call(self, method, request, answer, timeout=30):
        """A unary call. The signature is over the very bytes that are sent."""
        path, sent = TASK_SERVICE + method, request.SerializeToString()
        metadata = [("sentry-signature", self._signature(path, sent))] if self._secret else None
        unary = self._channel.unary_unary(path, response_deserializer=answer.FromString)
        return await unary(sent, metadata=metadata, timeout=timeout)

    def stream(self, path, answer):
        metadata = None
        if self._secret:
            now = str(time.time_ns() // 1_000_000)
            metadata = [
                ("taskbroker-signed-at", now),
                ("sentry-signature", self._signature(path, now.encode())),
            ]
        opened = self._channel.stream_stream(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        return opened(metadata=metadata)

    async def enqueue(self, new_tasks):
        """One result for each task. Tasks whose fate is unknown, or for which there is no room, are
        sent again: those have an id or a key."""
        results, left, full = [None] * len(new_tasks), list(range(len(new_tasks))), 0
        while left:
            request = tasks.EnqueueRequest(tasks=[new_tasks[i] for i in left])
            answer = await again_if_unknown(lambda: self.call("Enqueue", request, tasks.EnqueueResponse))
            for i, result in zip(left, answer.results, strict=True):
                results[i] = result
            left = [i for i in left if results[i].reason == tasks.REJECT_REASON_FULL]
            if left:
                await asyncio.sleep(random.uniform(0.5, 1) * min(60, 2**full))
                full += 1
        return results

    async def enqueue_stream(self, requests):
        """The answers to many requests, in their order; the unanswered ones are sent again when a
        stream fails."""
        waiting, answers = collections.deque(requests), []
        while waiting:
            unanswered = collections.deque()
            stream = self.stream(TASK_SERVICE + "EnqueueStream", tasks.EnqueueResponse)
            try:
                while waiting or unanswered:
                    while waiting and len(unanswered) < MOST_UNANSWERED:
                        unanswered.append(waiting.popleft())
                        await stream.write(unanswered[-1])
                    answer = await stream.read()
                    if answer is grpc.aio.EOF:
                        raise asyncio.InvalidStateError("the stream ended")
                    answers.append(answer)
                    unanswered.popleft()
                await stream.done_writing()
                await stream.read()
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                if await stream.code() not in UNKNOWN_FATE:
                    raise
                waiting.extendleft(reversed(unanswered))
                await asyncio.sleep(random.uniform(0.1, 0.5))
        return answers

    async def ask(self, method, identifier, timeout=30, **fields):
        """Get, Cancel, Await or Explain; None for NOT_FOUND."""
        request = getattr(tasks, method + "Request")(id=identifier, **fields)
        try:
            return await self.call(method, request, getattr(tasks, method + "Response"), timeout)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise


async def again_if_unknown(call):
    pause = 0.1
    while True:
        try:
            return await call()
        except grpc.aio.AioRpcError as error:
            if error.code() not in UNKNOWN_FATE:
                raise
        await asyncio.sleep(pause * random.uniform(0.5, 1))
        pause = min(5, pause * 2)
