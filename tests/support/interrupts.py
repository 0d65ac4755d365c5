"""Interrupts of processes that tests start."""

import signal


def heed_interrupts() -> None:
    """What the tests' own caller may ignore, a new process does not; for `preexec_fn`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
