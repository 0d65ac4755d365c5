"""A private Slurm on the loopback interface: two nodes of this machine, accounting, made-up GPUs; gone at the end.

Everything lies in one folder, nothing in /etc; no systemd, no cgroups, any user. Each daemon stays a child of ours.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

DATABASE_SCRIPTS = Path("/usr/share/mysql")
DAEMONS = ("munged", "mungekey", "slurmctld", "slurmd", "slurmdbd", "mariadbd", "sbatch", "sacct", "sacctmgr")
NODES = ("n0", "n1")
GPUS = 2  # of the first node
CLUSTER = """\
ClusterName=private
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={root}/munge/socket,cred_expire=5
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=0
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={accounting}
AccountingStoragePass={root}/munge/socket
AccountingStorageTRES=gres/gpu
AccountingStorageEnforce=associations
AccountingStoreFlags=job_comment
MinJobAge=3600
ReturnToService=2
SlurmdParameters=config_overrides
SlurmdTimeout=10
OverTimeLimit=0
KillWait=2
InactiveLimit=0
GresTypes=gpu
NodeName=n0 NodeHostname={host} NodeAddr=127.0.0.1 Port={node0} CPUs=4 CoresPerSocket=4 RealMemory=12000 Gres=gpu:{gpus}
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={node1} CPUs=4 CoresPerSocket=4 RealMemory=12000
PartitionName=cpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=n0 MaxTime=INFINITE State=UP
"""
ACCOUNTING = """\
AuthType=auth/munge
AuthInfo=socket={root}/munge/socket
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={accounting}
SlurmUser={user}
PidFile={root}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
"""
PYTHON = """\
#!/bin/sh
mv {root}/held {root}/held.$$ 2> /dev/null && . {root}/held.$$
exec {python} "$@"
"""
DATABASE = """\
CREATE DATABASE IF NOT EXISTS slurm;
CREATE USER IF NOT EXISTS 'slurm'@'127.0.0.1' IDENTIFIED BY 'slurm';
CREATE USER IF NOT EXISTS 'slurm'@'localhost' IDENTIFIED BY 'slurm';
GRANT ALL ON slurm.* TO 'slurm'@'127.0.0.1';
GRANT ALL ON slurm.* TO 'slurm'@'localhost';
"""
TABLES = """\
create database if not exists mysql;
use mysql;
SET @auth_root_socket=NULL;
SET @skip_auth_anonymous_user=1;
SET @current_hostname='localhost';
"""


def missing() -> list[str]:
    """Programs of Slurm, munge and MariaDB that are not installed; Snakemake's plugin is one."""
    programs = [name for name in DAEMONS if shutil.which(name, path=paths()) is None]
    plugin = Path(sys.executable).parent / "generate-slurm-partition-config"
    return programs + ([] if plugin.exists() else ["snakemake-executor-plugin-slurm"])


def paths() -> str:
    """PATH with the folders of daemons."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def free_ports(number: int) -> list[int]:
    """Ports of the loopback interface that nothing listens at."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_until(true: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait for something; TimeoutError that names it."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.1)


class Slurm:
    """A running Slurm below one folder, whose path must be short: sockets lie in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        names = ("controller", "accounting", "database", *(f"node{number}" for number in range(len(NODES))))
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        path = os.pathsep.join([str(root / "bin"), str(Path(sys.executable).parent), paths()])
        self.environment = {**os.environ, "PATH": path, "SLURM_CONF": str(root / "slurm.conf")}

    def start(self) -> None:
        """Start everything and wait until both nodes are idle; TimeoutError that says what is missing."""
        self.configure()
        self.start_munge()
        self.start_database()
        self.start_accounting()
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        wait_until(lambda: self.states() == ["idle", "idle"], "idle nodes")

    def stop(self) -> None:
        """End every daemon, the latest first."""
        self.output("scancel", f"--user={getpass.getuser()}")
        for name in reversed([*self.children]):
            self.end(name, signal.SIGTERM)
        self.end_orphans()

    def end_orphans(self) -> None:
        """Kill what jobs of lost daemons left behind: processes that know this Slurm's configuration."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("SLURM_CONF") == self.environment["SLURM_CONF"]:
                    process.kill()

    def configure(self) -> None:
        """Write all configuration files."""
        for folder in ("state", "log", "spool", "munge", "dev", "bin", "database"):
            (self.root / folder).mkdir(parents=True)
        host = socket.gethostname().partition(".")[0]
        known = {"root": self.root, "host": host, "user": getpass.getuser(), "gpus": GPUS, **self.ports}
        self.write("slurm.conf", CLUSTER.format(**known))
        self.write("slurmdbd.conf", ACCOUNTING.format(**known), mode=0o600)
        self.write("cgroup.conf", "")
        self.write("gres.conf", f"NodeName=n0 Name=gpu File={self.devices()}\n")
        # The jobstep plugin takes SLURM_CONF from the srun that it starts.
        srun = shutil.which("srun", path=paths())
        self.write("bin/srun", f'#!/bin/sh\nSLURM_CONF={self.root}/slurm.conf exec {srun} "$@"\n', mode=0o755)

        python = f"{Path(sys.executable).parent}/python"
        self.write("bin/python", PYTHON.format(root=self.root, python=python), mode=0o755)

    def hold(self, call: str, command: str) -> None:
        """Let the next `python` whose command line holds some words run a command first."""
        self.write("held", f"case \"$*\" in *'{call}'*) {command} ;; esac\n")

    def devices(self) -> str:
        """Character devices in the place of GPUs, which nothing opens."""
        try:
            for number in range(GPUS):
                os.mknod(self.root / f"dev/gpu{number}", 0o600 | 0o020000, os.makedev(1, 3))
        except PermissionError:
            return f"/dev/tty[0-{GPUS - 1}]"
        return f"{self.root}/dev/gpu[0-{GPUS - 1}]"

    def start_munge(self) -> None:
        """Authentication with a key and a socket of its own."""
        folder = self.root / "munge"
        folder.chmod(0o755)
        self.call("mungekey", "--create", f"--keyfile={folder}/key")
        files = ("key-file=key", "socket=socket", "pid-file=pid", "log-file=log", "seed-file=seed")
        options = [f"--{option}={folder}/{file}" for option, _, file in (text.partition("=") for text in files)]
        self.launch("munged", "munged", "--foreground", "--force", *options)
        wait_until((folder / "socket").exists, "munged")

    def start_database(self) -> None:
        """MariaDB with nothing but its system tables and an empty database."""
        folder = self.root / "database"
        (folder / "data/mysql").mkdir(parents=True)
        options = ["--no-defaults", f"--user={getpass.getuser()}", f"--datadir={folder}/data",
                   "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M"]  # fmt: skip
        scripts = ("mysql_system_tables", "mysql_performance_tables", "mysql_system_tables_data")
        tables = TABLES + "".join((DATABASE_SCRIPTS / f"{name}.sql").read_text() for name in scripts)
        self.call("mariadbd", *options, "--bootstrap", "--skip-networking", given=tables)
        self.write("database/init.sql", DATABASE)
        own = [f"--socket={folder}/socket", f"--pid-file={folder}/pid", "--bind-address=127.0.0.1",
               f"--port={self.ports['database']}", f"--init-file={folder}/init.sql",
               "--innodb-flush-log-at-trx-commit=0", "--innodb-lock-wait-timeout=900"]  # fmt: skip
        self.launch("mariadbd", "mariadbd", *options, *own)
        self.wait_for_port("database")

    def start_accounting(self) -> None:
        """The accounting daemon, with this user in the account `lab`."""
        self.launch("slurmdbd", "slurmdbd", "-D")
        self.wait_for_port("accounting")
        for added in (["cluster", "private"], ["account", "lab", "Cluster=private"],
                      ["user", getpass.getuser(), "Account=lab"]):  # fmt: skip
            self.call("sacctmgr", "-i", "-Q", "add", *added)

    def start_controller(self) -> None:
        """The controller; it goes on from its state if it ran before."""
        self.launch("slurmctld", "slurmctld", "-D", "-f", f"{self.root}/slurm.conf")
        self.wait_for_port("controller")

    def start_node(self, node: str) -> None:
        """The daemon of a node."""
        self.launch(node, "slurmd", "-D", "-f", f"{self.root}/slurm.conf", "-N", node)

    def end(self, name: str, how: signal.Signals) -> None:
        """Send a daemon a signal and wait for its end; one that stays is killed."""
        child = self.children.pop(name)
        child.send_signal(how)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def launch(self, name: str, *command: str) -> None:
        """Start a daemon in the foreground of a session of its own, its output in log/."""
        with (self.root / f"log/{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def call(self, *command: str, given: str = "") -> None:
        """Run a command that must succeed; its words are in the error."""
        done = subprocess.run(command, env=self.environment, input=given, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"

    def output(self, *command: str) -> str:
        """What a client says; nothing if it fails or hangs."""
        try:
            done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=20)
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout if done.returncode == 0 else ""

    def states(self) -> list[str]:
        """States of the nodes, in order."""
        return self.output("sinfo", "-h", "-N", "-p", "cpu", "-o", "%t").split()

    def jobs(self, *, since: int = 0) -> list[dict[str, str]]:
        """What accounting knows of jobs with a number above `since`, by column."""
        columns = ("JobIDRaw", "State", "Partition", "ReqTRES", "TimelimitRaw", "ElapsedRaw", "Comment", "NodeList",
                   "Account", "ReqCPUS", "AllocCPUS", "TotalCPU")  # fmt: skip
        lines = self.output("sacct", "-X", "-n", "-P", "-S", "now-1days", "-o", ",".join(columns)).splitlines()
        rows = [dict(zip(columns, line.split("|"), strict=True)) for line in lines]
        return [row for row in rows if int(row["JobIDRaw"]) > since]

    def last(self) -> int:
        """Number of the latest job; 0 of none."""
        return max((int(row["JobIDRaw"]) for row in self.jobs()), default=0)

    def wait_for_port(self, name: str) -> None:
        """Wait until a daemon listens."""

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.ports[name])) == 0

        wait_until(listens, f"the port of {name}")

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        """Write a file below the folder."""
        (self.root / name).write_text(text)
        (self.root / name).chmod(mode)


def asked(job: Mapping[str, str]) -> dict[str, str]:
    """Resources that a job asked for: cpu, mem, gres/gpu and so on."""
    return dict(part.split("=", 1) for part in job["ReqTRES"].split(","))
