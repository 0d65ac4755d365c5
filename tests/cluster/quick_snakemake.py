"""Snakemake that asks for the states of its Slurm jobs every second; the plugin waits longer and longer."""

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

INTERVAL = RemoteExecutor.next_seconds_between_status_checks
RemoteExecutor.next_seconds_between_status_checks = property(
    INTERVAL.fget, lambda executor, seconds: INTERVAL.fset(executor, min(seconds, 1))
)

if __name__ == "__main__":
    main()
