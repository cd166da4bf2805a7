"""A worker that asks the broker for tasks."""

import logging
import os

from taskbroker_client.worker import TaskWorker

from conformance import lifeline


def main():
    lifeline.hold()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s")
    worker = TaskWorker(
        app_module="conformance.app:app",
        broker_hosts=[os.environ["CONFORMANCE_BROKER"]],
        concurrency=int(os.environ["CONFORMANCE_CONCURRENCY"]),
        processing_pool_name="conformance",
    )
    try:
        worker.start()
    except KeyboardInterrupt:
        pass  # A signal, after the shutdown.


if __name__ == "__main__":
    main()
