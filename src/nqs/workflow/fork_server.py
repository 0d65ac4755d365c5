"""A process that has the libraries loaded and forks into jobs.

Loading PyTorch, pandas and matplotlib takes two to four CPU seconds, more than the work of most jobs. A run of several
jobs therefore starts this server (Linux only), and `python -m nqs` asks it for a fork instead of loading anything. The
server computes nothing, so that its forks begin as new processes do; it ends with the run, and its jobs end with it.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import secrets
import selectors
import signal
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from nqs.workflow.fork_client import ADDRESS, AT_START, LENGTH, STATUS, STDERR, identity

MANY = 6  # jobs that are worth a server
LOADED = (  # in the order in which the first jobs of a run want them
    "numpy", "pandas", "typer", "nqs.workflow.cli", "h5py", "scipy.sparse.linalg", "numba", "torch",
    "nqs.workflow.rows", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf",
    "nqs.figures.save", "nqs.workflow.show", "scipy.stats", "scipy.optimize", "nqs.exact.ground_state",
    "nqs.supervised.stage",
    "nqs.analysis.overlaps", "nqs.vmc.stages.rbm", "nqs.vmc.stages.ring", "nqs.analysis.rbm_observables",
    "nqs.analysis.sampled_ablation", "nqs.vmc.stages.amplitude_phase", "nqs.supervised.dataset",
    "nqs.vmc.stages.ring_optima", "nqs.workflow.claims", "statsmodels.regression.linear_model", "quspin.basis",
)  # fmt: skip
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
SOURCE = str(Path(__file__).parents[2])  # comes first for the jobs of the rules, too
JOB = "nqs-job-"  # name of a job's process, with the process that asked for it
CREDENTIALS = struct.Struct("3i")  # process, user and group at the other end of a socket
PR_SET_PDEATHSIG = 1


def start() -> subprocess.Popen[bytes] | None:
    """Start a server that ends with this process, and tell later jobs of it; None where that is impossible or done."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open") or os.environ.get(ADDRESS) is not None:
        return None
    given = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    name = f"nqs-{secrets.token_hex(16)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind("\0" + name)  # here, so that no call comes too early
        listener.listen(64)
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            env=os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join([SOURCE, *given])},
        )
    os.environ[ADDRESS] = name
    atexit.register(stop, server)
    return server


def stop(server: subprocess.Popen[bytes]) -> None:
    """Let a server end, and wait for it: nothing of a run outlives it."""
    os.environ.pop(ADDRESS, None)
    if server.stdin:
        server.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(5)


class Server:
    """Answers calls, watches jobs, passes signals to them and their exit status back."""

    def __init__(self, listener: socket.socket) -> None:
        """listener: where calls arrive; the end of standard input is the end of the run."""
        self.selector = selectors.DefaultSelector()
        self.listener = listener
        self.jobs: dict[int, tuple[int, socket.socket]] = {}  # by descriptor of the job: its process, who asked
        self.open = True
        self.selector.register(self.listener, selectors.EVENT_READ, self.answer)
        self.selector.register(sys.stdin, selectors.EVENT_READ, self.close)

    def serve(self, modules: Iterable[str]) -> None:
        """Load modules, answering calls in between, and go on until the run and its last job have ended."""
        for _ in load(modules):
            self.look(0)
            if not self.open:
                break
        while self.open or self.jobs:
            self.look(None)

    def look(self, timeout: float | None) -> None:
        """Deal with what has happened; wait for something for at most `timeout` seconds."""
        for key, _ in self.selector.select(timeout):
            if key.fd in self.selector.get_map():  # one event may have ended what another is about
                key.data()

    def close(self) -> None:
        """The run has ended: no more calls, and the jobs that are left are ended."""
        self.open = False
        self.selector.unregister(sys.stdin)
        self.selector.unregister(self.listener)
        self.listener.close()
        for process, _ in self.jobs.values():
            kill(process, signal.SIGTERM)

    def answer(self) -> None:
        """Fork into the job that is asked for."""
        client, _ = self.listener.accept()
        try:
            asking, call, streams = read_call(client)
        except (OSError, ValueError):
            client.close()
            return
        accepted = call["identity"] == identity()
        signal.pthread_sigmask(signal.SIG_BLOCK, AT_START)  # a signal waits until the job can heed it
        if accepted and (process := os.fork()) == 0:
            self.listener.close()
            become(call, streams, asking)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, AT_START)
        for stream in streams:
            os.close(stream)
        with contextlib.suppress(OSError):  # of a client that was killed meanwhile
            client.send(b"y" if accepted else b"n")
        if accepted:
            self.watch(process, client)
        else:
            client.close()

    def watch(self, process: int, client: socket.socket) -> None:
        """Wait for a job's end and for what its client has to say."""
        job = os.pidfd_open(process)
        self.jobs[job] = process, client
        self.selector.register(job, selectors.EVENT_READ, lambda: self.finish(job))
        self.selector.register(client, selectors.EVENT_READ, lambda: self.listen(process, client))

    def listen(self, process: int, client: socket.socket) -> None:
        """Pass a signal on; a client that has died takes its job with it."""
        try:
            signals = client.recv(16)
        except OSError:
            signals = b""
        for number in signals or [signal.SIGTERM]:
            kill(process, number)
        if not signals:
            self.selector.unregister(client)

    def finish(self, job: int) -> None:
        """Tell how a job ended."""
        process, client = self.jobs.pop(job)
        _, status = os.waitpid(process, 0)
        self.selector.unregister(job)
        os.close(job)
        if client in self.selector.get_map():
            self.selector.unregister(client)
        with contextlib.suppress(OSError):
            client.send(STATUS.pack(os.waitstatus_to_exitcode(status)))
        client.close()


def load(modules: Iterable[str]) -> Iterator[str]:
    """Import modules one by one; what cannot be imported is left to the job that needs it, which then says so."""
    for module in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(module)
        gc.freeze()  # a collection in a job leaves shared memory alone
        yield module


def kill(process: int, number: int) -> None:
    """Send a signal to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def read_call(client: socket.socket) -> tuple[int, dict[str, Any], list[int]]:
    """Who asks, the call, and its standard streams; OSError for another user, ValueError for half a call."""
    process, user, _ = CREDENTIALS.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    if user != os.getuid():
        raise PermissionError(user)
    client.settimeout(10)
    head, streams, _, _ = socket.recv_fds(client, LENGTH.size, 4)
    (size,) = LENGTH.unpack(head) if len(head) == LENGTH.size else (-1,)
    text = bytearray()
    while len(text) < size and (part := client.recv(min(size - len(text), 1 << 16))):
        text += part
    if len(text) != size or len(streams) not in (3, 4):
        raise ValueError("a call that was cut off")
    client.settimeout(None)
    return process, json.loads(text.decode("utf-8", "surrogateescape")), streams


def become(call: Mapping[str, Any], streams: Sequence[int], asking: int) -> NoReturn:
    """Turn this fork into the process that a call asks for."""
    status = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # a job doesn't outlive a server that was killed
        Path("/proc/self/comm").write_text(f"{JOB}{asking}")
        kept = [int(call["environment"][STDERR])] if len(streams) > 3 else []
        for number, stream in zip([0, 1, 2, *kept], streams, strict=True):
            os.dup2(stream, number)
        with contextlib.suppress(OSError):
            os.setpgid(0, call["group"])
        for number, handler in AT_START.items():
            signal.signal(number, signal.SIG_IGN if number in call["ignored"] else handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, AT_START)
        os.environ.clear()
        os.environ.update(call["environment"])
        os.umask(call["mask"])
        os.chdir(call["directory"])
        status = run(call["arguments"])
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def run(arguments: list[str]) -> int:
    """The command line with these arguments; its exit status, with what is printed at an exit printed."""
    from nqs import __main__
    from nqs.workflow.cli import main

    sys.modules["__main__"] = __main__  # for the name in messages
    sys.argv = [str(__main__.__file__), *arguments]
    try:
        main(arguments)
        return 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        traceback.print_exc()
        return 130
    finally:
        atexit._run_exitfuncs()


def main() -> None:
    """Serve at the socket whose descriptor is the argument."""
    for number in AT_START:  # they are for the jobs; the server ends with the run
        signal.signal(number, signal.SIG_IGN)
    Server(socket.socket(fileno=int(sys.argv[1]))).serve(LOADED)


if __name__ == "__main__":
    main()
