"""Ends the process as SIGTERM does when the one that started it is gone, which holds its input."""

import os
import signal
import threading


def hold():
    threading.Thread(target=_watch, name="lifeline", daemon=True).start()


def _watch():
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
