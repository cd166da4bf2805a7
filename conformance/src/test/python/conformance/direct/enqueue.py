"""Does what it reads, one JSON object a line, and answers each with one. Ends when its input does."""

import asyncio
import json
import os
import sys

import grpc
from google.protobuf import json_format

from conformance.direct.client import Client, tasks


async def enqueue(client, wish):
    results = await client.enqueue(new_tasks(wish["tasks"]))
    return {"results": [plain(result) for result in results]}


async def stream(client, wish):
    requests = [tasks.EnqueueRequest(tasks=new_tasks(each)) for each in wish["requests"]]
    answers = await client.enqueue_stream(requests)
    return {"results": [plain(result) for answer in answers for result in answer.results]}


async def ask(client, wish):
    timeout = wish.get("timeout_seconds", 0)
    fields = {"timeout_seconds": timeout} if timeout else {}
    answer = await client.ask(wish["method"], wish["id"], timeout + 30, **fields)
    return {"found": answer is not None, **(plain(answer) if answer else {})}


def new_tasks(described):
    return [json_format.ParseDict(each, tasks.NewTask()) for each in described]


def plain(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


async def main():
    client = Client(os.environ["CONFORMANCE_BROKER"], os.environ.get("CONFORMANCE_SECRET"))
    reader = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        wish = json.loads(line)
        try:
            answer = await {"enqueue": enqueue, "stream": stream, "ask": ask}[wish["do"]](client, wish)
        except grpc.aio.AioRpcError as error:
            answer = {"error": error.code().name, "details": error.details()}
        print(json.dumps(answer), flush=True)
    await client.close()


if __name__ == "__main__":
    asyncio.run(main())
