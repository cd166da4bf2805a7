"""The application, configured by the environment."""

import functools
import os
import uuid

from arroyo.backends.kafka import KafkaProducer, build_kafka_producer_configuration
from taskbroker_client.app import TaskbrokerApp
from taskbroker_client.metrics import NoOpMetricsBackend
from taskbroker_client.state import current_task

from conformance import journal

producers = []


def new_producer(topic):
    producer = KafkaProducer(
        build_kafka_producer_configuration(
            default_config={
                "bootstrap.servers": os.environ["CONFORMANCE_BOOTSTRAP"],
                "message.max.bytes": 8_000_000,
            }
        )
    )
    producers.append(producer)
    return producer


class OneTopic:
    def route_namespace(self, name):
        return os.environ["CONFORMANCE_TOPIC"]


class JournalledMetrics(NoOpMetricsBackend):
    """Notes what is seen of the broker's answers in no other way."""

    def incr(self, name, value=1, tags=None, **_):
        if name in ("taskworker.client.get_task", "taskworker.client.rpc_error"):
            journal.note("metric", name=name, tags=dict(tags or {}))


def new_app(name):
    app = TaskbrokerApp(
        name=name,
        producer_factory=new_producer,
        router_class=OneTopic(),
        metrics_class=JournalledMetrics(),
    )
    app.set_config({"rpc_secret": os.environ.get("CONFORMANCE_SECRETS")})
    return app


app = new_app("conformance")
app.set_modules(os.environ["CONFORMANCE_MODULES"].split(","))

work = app.create_namespace("work", processing_deadline_duration=30)


def task(name, namespace=work, **options):
    """Registers a task whose runs are noted."""

    def register(function):
        @functools.wraps(function)
        def run(*args, **kwargs):
            current = current_task()
            run = uuid.uuid4().hex
            journal.note(
                "start",
                run=run,
                task=current.taskname,
                id=current.id,
                attempt=current.attempt,
                retries_remaining=current.retries_remaining,
                args=args,
                kwargs=kwargs,
            )
            try:
                function(*args, **kwargs)
            except BaseException as error:
                journal.note("end", run=run, outcome=type(error).__name__)
                raise
            journal.note("end", run=run, outcome="returned")

        return namespace.register(name=name, **options)(run)

    return register
