"""Tasks that every version of the client can register."""

import multiprocessing
import time

from taskbroker_client.constants import CompressionType
from taskbroker_client.retry import LastAction, Retry

from conformance import journal
from conformance.app import task


@task("echo")
def echo(*args, **kwargs):
    pass


@task("compressed", compression_type=CompressionType.ZSTD)
def compressed(*args, **kwargs):
    pass


@task("wait", processing_deadline_duration=60)
def wait(seconds):
    time.sleep(seconds)


@task("brief", processing_deadline_duration=3)
def brief(*args):
    pass


@task("fail")
def fail():
    raise ValueError("no policy")


@task("recover", retry=Retry(times=3, on=(ValueError,), delay=2))
def recover():
    if journal.is_first("recover-1") or journal.is_first("recover-2"):
        raise ValueError("not yet")


@task("exhaust-discard", retry=Retry(times=2, on=(ValueError,)))
def exhaust_discard():
    raise ValueError("never")


@task(
    "exhaust-deadletter",
    retry=Retry(times=3, on=(ValueError,), times_exceeded=LastAction.Deadletter, delay=1),
)
def exhaust_deadletter(payload):
    raise ValueError("never")


@task("overrun", processing_deadline_duration=2)
def overrun():
    time.sleep(30)


if multiprocessing.parent_process() is not None:
    journal.note("loaded")  # A child of a worker is ready.
