"""A worker that the broker calls."""

import logging
import os
import sys

from taskbroker_client.worker.worker import PushTaskWorker

from conformance import lifeline


def main():
    lifeline.hold()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s")
    worker = PushTaskWorker(
        app_module="conformance.app:app",
        broker_service=os.environ["CONFORMANCE_BROKER"],
        grpc_port=int(os.environ["CONFORMANCE_WORKER_PORT"]),
        concurrency=int(os.environ["CONFORMANCE_CONCURRENCY"]),
        processing_pool_name="conformance",
    )
    sys.exit(worker.start())


if __name__ == "__main__":
    main()
