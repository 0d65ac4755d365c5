"""Command line: stages, tables and figures on files, as the rules call them; see `user_commands` for the others.

Heavy imports happen inside the commands, after the number of threads of the numerical libraries is set.
"""

from __future__ import annotations

import difflib
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from nqs.runtime import checksums
from nqs.runtime.errors import InputError, NqsError
from nqs.runtime.file_faults import NO_ROOM, cause, unwritable
from nqs.runtime.job import Job, function
from nqs.runtime.threads import set_threads
from nqs.workflow import survivors, user_commands
from nqs.workflow.fork_client import AT_START, STDERR
from nqs.workflow.stages import STAGES

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
user_commands.add_to(app)

AGAIN = 0.05  # seconds after which an exception that Python dropped is raised again

Settings = Annotated[str, typer.Option(help="the used part of the configuration, as JSON")]
Inputs = Annotated[list[str], typer.Option("--input", help="kind=path; repeat the option for more")]
Outputs = Annotated[list[str], typer.Option("--output", help="kind=path; repeat the option for more")]
Target = Annotated[str, typer.Argument(help="<study>_<target>, e.g. westerhout2020_fig2")]


def fail(error: Exception) -> NoReturn:
    """End with the reason as the last line of the log, or, if the log lies on a full disk, on the caller's terminal."""
    line = f"error: {error}"
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):  # what is left in buffers would fail again
            os.dup2(nowhere, stream)
        with suppress(OSError, ValueError):
            os.write(int(os.environ.get(STDERR, "")), f"{line}\n".encode())
    raise SystemExit(1)


def end_as_exception() -> None:
    """Let the first signal that ends a process arrive as an exception, so that checkpoints are written in peace.

    Python drops an exception that is raised while an object is deleted or a module's lock released; it is raised again.
    """

    def end(number: int, _: Any) -> NoReturn:
        for each in AT_START:
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    def unraisable(dropped: sys.UnraisableHookArgs) -> None:
        if not isinstance(dropped.exc_value, SystemExit):
            return sys.__unraisablehook__(dropped)
        code = dropped.exc_value.code
        signal.signal(signal.SIGALRM, lambda *_: sys.exit(code))
        signal.setitimer(signal.ITIMER_REAL, AGAIN)

    if hasattr(signal, "setitimer"):
        sys.unraisablehook = unraisable
    for number in AT_START:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)


def by_kind(options: Sequence[str], option: str) -> dict[str, list[Path]]:
    """Files by kind from options kind=path; InputError for any other text."""
    files: dict[str, list[Path]] = {}
    for text in options:
        kind, equals, path = text.partition("=")
        if not (kind and equals and path):
            raise InputError(f"{option} {text}: write it as kind=path")
        files.setdefault(kind, []).append(Path(path))
    return files


def job_of(settings: str, inputs: Sequence[str], outputs: Sequence[str], **how: Any) -> Job:
    """What the options of a call ask for; from here on the job counts as living."""
    try:
        values = json.loads(settings)
    except ValueError as error:
        raise InputError(f"--settings: not JSON ({error})") from None
    survivors.announce()
    files = {kind: paths[0] for kind, paths in by_kind(outputs, "--output").items()}
    return Job(values, by_kind(inputs, "--input"), files, **how)


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help=", ".join(STAGES))],
    settings: Settings,
    outputs: Outputs,
    inputs: Inputs = [],  # noqa: B006  (typer reads the default, nobody changes it)
    threads: Annotated[int, typer.Option(help="threads")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    code: Annotated[str, typer.Option(help="hash of the code; checkpoints of other code are not resumed")] = "",
    checkpoints: Annotated[Path | None, typer.Option(help="folder for unfinished work")] = None,
    save_every: Annotated[float, typer.Option(help="seconds between checkpoints")] = 20.0,
) -> None:
    """Compute one cell."""
    if name not in STAGES:
        (near,) = difflib.get_close_matches(name, STAGES, n=1, cutoff=0.0)
        raise InputError(f"unknown stage '{name}'; did you mean '{near}'? Known: {', '.join(STAGES)}")
    set_threads(threads if STAGES[name].libraries else 1)
    compute = function(STAGES[name].entry)
    end_as_exception()  # not before: libraries drop any exception in some of their imports, the signal's too
    how = {"threads": threads, "device": device, "code": code, "checkpoints": checkpoints, "save_every": save_every}
    with checksums.guarded(job_of(settings, inputs, outputs, **how)) as job:
        compute(job)


@app.command()
def table(name: Target, settings: Settings, outputs: Outputs, inputs: Inputs = []) -> None:  # noqa: B006
    """The rows behind a figure or table."""
    set_threads(1)
    from nqs.workflow import rows

    with checksums.guarded(job_of(settings, inputs, outputs)) as job:
        rows.build(name, job)


@app.command()
def figure(name: Target, settings: Settings, outputs: Outputs, inputs: Inputs = []) -> None:  # noqa: B006
    """A figure as PDF and PNG, or a table as CSV and Markdown, and its provenance."""
    set_threads(1)
    from nqs.workflow import show

    job = job_of(settings, inputs, outputs)
    checksums.check_inputs(job)
    show.show(name, job)


@app.command()
def gallery(
    study: Annotated[str, typer.Argument(help="name of a study")],
    settings: Settings,
    outputs: Outputs,
    inputs: Inputs = [],  # noqa: B006
) -> None:
    """Figures and tables of archived runs, several at once."""
    set_threads(1)
    from nqs.workflow import gallery as drawing

    drawing.draw(study, job_of(settings, inputs, outputs))


@app.command()
def claims(
    study: Annotated[str, typer.Argument(help="name of a study")],
    settings: Settings,
    outputs: Outputs,
    inputs: Inputs = [],  # noqa: B006
) -> None:
    """The verdicts on all claims of a study."""
    set_threads(1)
    from nqs.workflow import claims as judging

    with checksums.guarded(job_of(settings, inputs, outputs)) as job:
        judging.build(study, job)


def main(arguments: Any = None) -> None:
    """Run the command line; known errors end with one line instead of a traceback."""
    try:
        try:
            app(arguments)
        finally:
            sys.stdout.flush()
    except NqsError as error:
        fail(error)
    except OSError as error:
        if cause(error) not in NO_ROOM:
            raise
        fail(unwritable(Path(error.filename or "log of the job"), error))
