"""A worker of its own make on grpcio: it runs a task within the call for CONFORMANCE_MILLIS, takes
no more calls at a time than CONFORMANCE_CALLS, and dies of each `exhaust-deadletter`. A parent
starts it again."""

import os
import select
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from sentry_protos.taskbroker.v1 import taskbroker_pb2, taskbroker_pb2_grpc

from conformance import journal, lifeline


class Worker(taskbroker_pb2_grpc.WorkerServiceServicer):
    def __init__(self):
        channel = grpc.insecure_channel(os.environ["CONFORMANCE_BROKER"])
        self.broker = taskbroker_pb2_grpc.ConsumerServiceStub(channel)

    def PushTask(self, request, context):
        task = request.task
        if task.taskname == "exhaust-deadletter":
            journal.note("killed", id=task.id)
            os._exit(1)
        time.sleep(int(os.environ["CONFORMANCE_MILLIS"]) / 1_000)
        journal.note("done", id=task.id)
        self.broker.SetTaskStatus(
            taskbroker_pb2.SetTaskStatusRequest(
                id=task.id, status=taskbroker_pb2.TASK_ACTIVATION_STATUS_COMPLETE
            ),
            wait_for_ready=True,
        )
        return taskbroker_pb2.PushTaskResponse()


def serve():
    calls = int(os.environ["CONFORMANCE_CALLS"])
    server = grpc.server(ThreadPoolExecutor(calls), maximum_concurrent_rpcs=calls)
    taskbroker_pb2_grpc.add_WorkerServiceServicer_to_server(Worker(), server)
    server.add_insecure_port("127.0.0.1:" + os.environ["CONFORMANCE_WORKER_PORT"])
    server.start()
    server.wait_for_termination()


def main():
    if len(sys.argv) > 1:
        lifeline.hold()
        serve()
        return
    while True:
        # It ends with this process, whose end of the pipe it holds.
        child = subprocess.Popen(
            [sys.executable, "-m", "conformance.limited", "child"], stdin=subprocess.PIPE
        )
        watch(child)


def watch(child):
    while child.poll() is None:
        readable, _, _ = select.select([sys.stdin], [], [], 0.05)
        if readable and not os.read(0, 1):
            child.kill()
            sys.exit(0)


if __name__ == "__main__":
    main()
