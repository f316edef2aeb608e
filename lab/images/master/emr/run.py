"""A step or a bootstrap action as a process of user hadoop, with its four logs on the node."""

from __future__ import annotations

import os
import pwd
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from emr.logs import STREAMS
from emr.scripts import CannotRunError
from emr.step import Step

USER = "hadoop"
LOGS = Path("/mnt/var/log")
WORK = Path("/mnt/var/lib")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SETTINGS = Path("/etc/environment")
TAIL = 4096
Started = Callable[["subprocess.Popen[bytes]"], None]


def environment() -> dict[str, str]:
    """Answer what a process of hadoop finds in its environment: the node's own settings, and a login's."""
    lines = SETTINGS.read_text().splitlines() if SETTINGS.exists() else []
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    who = pwd.getpwnam(USER)
    return settings | {
        "PATH": PATH,
        "HOME": who.pw_dir,
        "USER": USER,
        "LOGNAME": USER,
        "SHELL": who.pw_shell,
        "LANG": "C.UTF-8",
    }


def make_folder(path: Path) -> Path:
    """Make a folder of hadoop's and answer it."""
    path.mkdir(parents=True, exist_ok=True)
    who = pwd.getpwnam(USER)
    os.chown(path, who.pw_uid, who.pw_gid)
    return path


def process(argv: list[str], logs: Path, work: Path, started: Started) -> int:
    """Run a command to its end, streams in `logs`; answer its exit code, 128 and more after a signal. Raises: OSError.

    `started` is given the process, which is the first of a session of its own.
    """
    with (logs / "stdout").open("wb") as out, (logs / "stderr").open("wb") as err:
        # setpriv and not Popen's own `user`: with that, Python copies this whole process for every step.
        child = subprocess.Popen(  # noqa: S603
            ["/usr/bin/setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--", *argv],
            cwd=work,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    started(child)
    code = child.wait()
    return code if code >= 0 else 128 - code


def stop(child: subprocess.Popen[bytes] | None, number: signal.Signals, *, descendants: bool) -> None:
    """Send a signal to a process, and to those it started in its group where asked for; one that ended is no error."""
    if child is None or child.poll() is not None:
        return
    with suppress(ProcessLookupError):
        if descendants:
            os.killpg(child.pid, number)
        else:
            child.send_signal(number)


def step(wanted: Step, program: Callable[[Path, str], list[str]], started: Started) -> int:
    """Run one step, and write its logs; answer its exit code, and put into it why it failed, if it did.

    `program` answers the argument list, given a folder for a script and the search path; it may raise CannotRunError.
    """
    logs, work = log_folder(wanted), make_folder(WORK / "hadoop/steps" / wanted.id)
    with (logs / "controller").open("w") as controller:
        _say(controller, f"INFO Ensure step {wanted.id} jar file {wanted.jar}")
        try:
            argv = program(work, PATH)
            _say(controller, f"INFO startExec '{shlex.join(argv)}'")
            for stream, word in (("stdout", "Output"), ("stderr", "Error")):
                controller.write(f"INFO redirect{word} to {logs / stream}\n")
            controller.write(f"INFO Working dir {work}\n")
            controller.flush()
            code = process(argv, logs, work, lambda child: _tell_started(controller, wanted, child, started))
            if code:
                wanted.failure = {"Reason": "Unknown Error."} | _last_words(logs / "stderr")
        except CannotRunError as error:
            code, wanted.failure = 1, {"Reason": error.reason, "Message": error.message}
            (logs / "stderr").write_text(error.message + "\n")
        except OSError as error:
            code, wanted.failure = 1, {"Reason": "The command could not be started.", "Message": str(error)}
            (logs / "stderr").write_text(f"{error}\n")
        took = time.time() - (wanted.started or time.time())
        controller.write(
            f"INFO waitProcessCompletion ended with exit code {code} : {wanted.jar} {shlex.join(wanted.args)}\n"
        )
        controller.write(f"INFO total process run time: {took:.0f} seconds\n")
        word, mood = ("INFO", "succeeded") if code == 0 else ("WARN", "failed")
        _say(controller, f"{word} Step {mood} with exitCode {code} and took {took:.0f} seconds")
    return code


def log_folder(wanted: Step) -> Path:
    """Answer where a step's logs lie on the node, as on EMR."""
    folder = make_folder(LOGS / "hadoop/steps" / wanted.id)
    for stream in STREAMS:
        (folder / stream).touch()
    return folder


def where_it_says_why(logs: Path) -> str:
    """Answer the name of the log that says why a step failed."""
    return "stderr" if (logs / "stderr").stat().st_size else "controller"


def _tell_started(controller: TextIO, wanted: Step, child: subprocess.Popen[bytes], started: Started) -> None:
    _say(controller, f"INFO HadoopJarStepRunner.Runner: startRun() called for {wanted.id} Child Pid: {child.pid}")
    started(child)


def _last_words(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        lines = file.read().decode(errors="replace").split("\n")
    words = [line.strip() for line in lines if line.strip()]
    return {"Message": words[-1]} if words else {}


def _say(controller: TextIO, text: str) -> None:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    controller.write(f"{now} {text}\n")
    controller.flush()
