"""Tasks for what the client can do since the version of the basic ones."""

import signal
import time

from taskbroker_client.retry import LastAction, Retry, RetryTaskError, retry_task
from taskbroker_client.worker.workerchild import ProcessingDeadlineExceeded

from conformance import journal
from conformance.app import app, task

defaults = app.create_namespace(
    "defaults",
    retry=Retry(times=2, on=(KeyError,), times_exceeded=LastAction.Deadletter),
    processing_deadline_duration=30,
)


@task("headers", pass_headers=True)
def see_headers(*, headers):
    journal.note("headers", headers=headers)


@task("delivered", wait_for_delivery=True)
def delivered():
    pass


@task("expiring", expires=1)
def expiring():
    pass


@task("inherit", namespace=defaults)
def inherit():
    raise KeyError("never")


@task(
    "ignored",
    retry=Retry(
        times=5, on=(LookupError,), ignore=(KeyError,), times_exceeded=LastAction.Deadletter
    ),
)
def ignored():
    raise KeyError("never")


@task("ask-again", retry=Retry(times=2))
def ask_again():
    retry_task()


@task("raise-retry", retry=Retry(times=2))
def raise_retry():
    raise RetryTaskError()


@task("once", at_most_once=True)
def once():
    pass


@task("once-failing", at_most_once=True)
def once_failing():
    raise ValueError("never")


@task(
    "overrun-retried",
    processing_deadline_duration=2,
    retry=Retry(times=2, on=(ProcessingDeadlineExceeded,), times_exceeded=LastAction.Deadletter),
)
def overrun_retried():
    time.sleep(30)


@task("blocked", processing_deadline_duration=1)
def blocked():
    if journal.is_first("blocked"):
        sleep_through_alarm(15)


@task("once-blocked", processing_deadline_duration=1, at_most_once=True)
def once_blocked():
    sleep_through_alarm(15)


@task("long", processing_deadline_duration=6)
def long():
    """Outlives the seconds that a worker gives it when it stops, the first time."""
    if journal.is_first("long"):
        sleep_through_alarm(60)


@task("once-long", processing_deadline_duration=3, at_most_once=True)
def once_long():
    sleep_through_alarm(60)


@task("tick")
def tick():
    pass


def sleep_through_alarm(seconds):
    """As a call does that never comes back to Python: only the broker's deadline passes."""
    handler = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    time.sleep(seconds)
    signal.signal(signal.SIGALRM, handler)
