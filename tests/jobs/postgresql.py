"""A PostgreSQL server of our own for tests: a private cluster on a socket in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

USER = "triptych"


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: on the path, or where Debian puts them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    named = shutil.which("initdb")
    return found[-1].parent if found else Path(named).parent if named else None


class Cluster:
    """Starts on `start`, and again after `crash`."""

    def __init__(self) -> None:
        folder = binaries()
        if folder is None:
            raise RuntimeError("PostgreSQL is not installed: apt install postgresql")
        self.bin = folder
        self.folder = Path(tempfile.mkdtemp(prefix="triptych-pg-"))
        # PostgreSQL refuses to run as root; as root, the tests lend it to a user without rights.
        self.user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.known: set[str] = set()
        self.server: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", str(self.data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def start(self) -> Cluster:
        self.server = subprocess.Popen(
            # No fsync: the tests kill processes, never the machine, and what a dead process wrote is the system's.
            [self.bin / "postgres", "-D", self.data, "-k", self.folder, "-c", "listen_addresses=", "-c", "fsync=off"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as_user(),
        )
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url()).close()
                return self
            except psycopg.OperationalError:
                if time.monotonic() > until or self.server.poll() is not None:
                    raise
                time.sleep(0.05)

    def crash(self) -> None:
        """Stop at once, without a checkpoint: what was committed is in the log only."""
        self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "immediate")
        if self.server:
            self.server.wait()

    def remove(self) -> None:
        if self.server and self.server.poll() is None:
            self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_database(self, name: str) -> str:
        """An empty database; its address."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def emptied(self, name: str) -> str:
        """The address of a database whose tables, if it has any, are empty. Much faster than a new one."""
        if name not in self.known:
            self.known.add(name)
            return self.new_database(name)
        with psycopg.connect(self.url(name)) as connection:
            tables = [row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname='public'")]
            tables = [table for table in tables if table != "job_schema"]
            connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY".encode())
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.bin / program, *arguments], check=True, capture_output=True, cwd=self.folder, **self._as_user()
        )

    def _as_user(self) -> dict[str, int]:
        return {"user": self.user.pw_uid, "group": self.user.pw_gid} if self.user else {}
