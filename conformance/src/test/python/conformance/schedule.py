"""The scheduler, with a task for each second, until a signal ends it."""

import datetime
import logging
import time

from taskbroker_client.scheduler import ScheduleRunner, VolatileRunStorage

from conformance import lifeline
from conformance.app import app


def main():
    lifeline.hold()
    logging.basicConfig(level=logging.INFO)
    app.load_modules()
    runner = ScheduleRunner(app, VolatileRunStorage())
    runner.add("tick", {"task": "work:tick", "schedule": datetime.timedelta(seconds=1)})
    while True:
        time.sleep(runner.tick())


if __name__ == "__main__":
    main()
