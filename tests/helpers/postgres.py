"""A PostgreSQL of a test's own, where its programs are installed."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def _programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextlib.contextmanager
def a_postgres():
    """Give a connection to a server in a folder of its own, which is ended and removed."""
    psycopg = pytest.importorskip("psycopg")
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL")
    user = {} if os.getuid() else {"user": "postgres"}  # root may not run it
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    if user:
        shutil.chown(folder, "postgres")
    data, settings = folder / "data", {"check": True, "capture_output": True, "cwd": "/", **user}
    try:
        subprocess.run([programs / "initdb", "-D", data, "-U", "tester", "-A", "trust"], **settings)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        start = [programs / "pg_ctl", "-D", data, "-w", "-o", options, "start"]
        subprocess.run(start, **settings | {"capture_output": False}, stdout=subprocess.DEVNULL)
        try:
            with psycopg.connect(
                host=str(folder), user="tester", dbname="postgres", autocommit=True
            ) as connection:
                yield connection
        finally:
            subprocess.run([programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **settings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
