"""What tasks did: one JSON object a line, in the file that CONFORMANCE_JOURNAL names."""

import base64
import hashlib
import json
import os
import time

LONG = 1_000


def note(event, **fields):
    """Appends a line; what processes append at the same time is not mixed up."""
    line = {"event": event, "at": time.time(), "pid": os.getpid()}
    line.update((name, plain(value)) for name, value in fields.items())
    file = os.open(os.environ["CONFORMANCE_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, json.dumps(line).encode() + b"\n")
    finally:
        os.close(file)


def is_first(name):
    """Whether nobody asked for that name before, in any process."""
    try:
        os.close(os.open(os.environ["CONFORMANCE_JOURNAL"] + "." + name, os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def plain(value):
    """As JSON can say it: bytes in base64, a long text by its digest."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, str) and len(value) > LONG:
        return {"length": len(value), "sha256": hashlib.sha256(value.encode()).hexdigest()}
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def rich(value):
    """The inverse for bytes."""
    if isinstance(value, dict):
        if set(value) == {"base64"}:
            return base64.b64decode(value["base64"])
        return {key: rich(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rich(each) for each in value]
    return value
