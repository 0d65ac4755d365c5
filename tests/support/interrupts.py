"""Signals to processes that tests start."""

import signal


def heed_signals() -> None:
    """What the tests' own caller may ignore, a new process does not; for `preexec_fn`."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
