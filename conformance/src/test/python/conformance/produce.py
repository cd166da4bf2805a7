"""Dispatches what it reads, one JSON object a line, and answers each with the time around that.

Ends when its input does, after Kafka has all of it.
"""

import json
import sys
import time

from conformance import app, journal


def find(wish):
    namespace, name = wish["task"].split(":")
    if wish.get("external"):
        from conformance.front import front

        return front.taskregistry.get_external(app.app.name, namespace).get(name)
    return app.app.get_task(namespace, name)


def dispatch(wish):
    args = journal.rich(wish.get("args", []))
    kwargs = journal.rich(wish.get("kwargs", {}))
    options = {key: wish[key] for key in ("headers", "countdown", "expires") if key in wish}
    if options:
        find(wish).apply_async(args=args, kwargs=kwargs, **options)
    else:
        find(wish).delay(*args, **kwargs)


def main():
    app.app.load_modules()
    for line in sys.stdin:
        before = time.time()
        error = None
        try:
            dispatch(json.loads(line))
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
        print(json.dumps({"before": before, "after": time.time(), "error": error}), flush=True)
    for producer in app.producers:
        producer.close().result(30)


if __name__ == "__main__":
    main()
