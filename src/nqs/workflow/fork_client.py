"""A job hands itself to the fork server of its run, so that it begins without loading libraries.

Only light imports here: this runs before anything else in every job.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NoReturn

ADDRESS = "NQS_FORK_SERVER"  # environment variable: name of the abstract Unix socket, set while a server runs
STDERR = "NQS_STDERR"  # environment variable: descriptor of the caller's standard error, beside a log
LENGTH = struct.Struct("!Q")
STATUS = struct.Struct("!i")  # exit status of a job, or minus the signal that ended it
AT_START: dict[signal.Signals, Any] = {  # signals that end a process, and how Python has them at its start
    number: signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    for number in signal.Signals
    if number.name in ("SIGINT", "SIGTERM", "SIGHUP")
}


def run_on_server(arguments: Sequence[str]) -> None:
    """Run `python -m nqs` with these arguments in a fork of the server and exit as it does.

    Returns if there is no server, or none that can stand in for this process: another Python or path of modules, or
    a job whose libraries take several threads, which is settled when they are loaded.
    """
    name = os.environ.get(ADDRESS)
    if not name or not one_thread(arguments):
        return
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.connect("\0" + name)
        ask(server, arguments)
        pass_signals_to(server)
        accepted = server.recv(1) == b"y"
    except OSError:
        accepted = False
    if accepted:
        end(wait(server))
    server.close()
    restore()


def one_thread(arguments: Sequence[str]) -> bool:
    """Whether a call asks for no more than one thread."""
    values = [after for before, after in pairwise(arguments) if before == "--threads"]
    return all(value == "1" for value in values)


def identity() -> list[Any]:
    """What two processes must share for one to stand in for the other."""
    return [sys.version, sys.prefix, [path for path in sys.path if path not in ("", os.getcwd())]]


def ask(server: socket.socket, arguments: Sequence[str]) -> None:
    """Send the call, its surroundings, and its standard streams."""
    ignored = [int(number) for number in signal.valid_signals() if signal.getsignal(number) is signal.SIG_IGN]
    os.umask(mask := os.umask(0o077))  # it can only be read by setting it
    call = {
        "arguments": list(arguments),
        "directory": os.getcwd(),
        "environment": dict(os.environ),
        "identity": identity(),
        "ignored": ignored,
        "group": os.getpgrp(),
        "mask": mask,
    }
    text = json.dumps(call).encode("utf-8", "surrogateescape")
    socket.send_fds(server, [LENGTH.pack(len(text))], [0, 1, 2, *terminal()])
    server.sendall(text)


def terminal() -> list[int]:
    """The descriptor of the caller's standard error, if the rules have kept one."""
    try:
        number = int(os.environ.get(STDERR, ""))
        os.fstat(number)
    except (ValueError, OSError):
        return []
    return [number]


def pass_signals_to(server: socket.socket) -> None:
    """Forward what would end this process; an interrupt reaches the job by itself, as one of the process group."""

    def forward(number: int, _: Any) -> None:
        with contextlib.suppress(OSError):
            server.send(bytes([number]))

    for number in AT_START:
        if number != signal.SIGINT:
            signal.signal(number, forward)
        elif signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def wait(server: socket.socket) -> bytes:
    """What the server says at the end of the job; nothing if it died."""
    try:
        return server.recv(STATUS.size)
    except OSError:
        return b""


def restore() -> None:
    """Signals as Python has them at its start."""
    for number, handler in AT_START.items():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def end(answer: bytes) -> NoReturn:
    """Exit as the job did."""
    if len(answer) < STATUS.size:
        print("error: the process that started this job has ended; run again", file=sys.stderr, flush=True)
        os._exit(1)
    (status,) = STATUS.unpack(answer)
    if status < 0:
        with contextlib.suppress(OSError):  # some cannot be caught in the first place
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)
