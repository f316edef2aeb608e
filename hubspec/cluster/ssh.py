"""One SSH connection to the master node, held for a run: by OpenSSH's own client, with the user's own configuration.

The client that logs in stays and lends its connection to others (ControlMaster, ssh_config(5)); they log in by themselves
in no case. It ends with this process, however that ends: what it waits for is the end of its standard input.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from hubspec.cluster import ssh_faults
from hubspec.cluster.answer import Said
from hubspec.cluster.ssh_keys import offered
from hubspec.cluster.ssh_script import Rights
from hubspec.errors import DoorError, ShutError

_TICK = 0.005
_END = 2.0
"""Seconds that the connection is given to close."""
_GRACE = 0.5
"""Seconds by which ssh gives up before us, for it knows why."""
_LONGEST = 80
"""Characters of a folder in which a socket can still be made (sockaddr_un, less what ssh adds)."""
# Each counts before the user's own: nothing may be asked on a terminal, nothing else may be opened or run beside it, and a
# host key that is not known is never taken for good.
_ALWAYS = {
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "LogLevel": "INFO",
    "ControlPersist": "no",
    "RemoteCommand": "none",
    "RequestTTY": "no",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "PermitLocalCommand": "no",
    "UpdateHostKeys": "no",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "3",
}


@dataclass(frozen=True)
class Target:
    """Where to log in, and how root's rights are had there. What is None, the user's own configuration decides."""

    host: str
    user: str = "hadoop"
    port: str | None = None
    key: str | None = None
    config: str | None = None
    rights: Rights = field(default_factory=Rights)

    def __str__(self) -> str:
        """Return it as USER@HOST."""
        return f"{self.user}@{self.host}"

    @property
    def options(self) -> list[str]:
        """Return what of it goes to ssh."""
        given = ["-F", self.config] if self.config else []
        given += ["-p", self.port] if self.port else []
        given += ["-i", self.key, "-o", "IdentitiesOnly=yes"] if self.key else []
        return [*given, "-l", self.user]


class LateError(DoorError):
    """A command took too long, and was ended here. `said` is what came until then."""

    def __init__(self, sentence: str, said: Said) -> None:
        """Take the sentence, and what came."""
        super().__init__(sentence)
        self.said = said


class SshLine:
    """The connection to one target. `logins` counts how often it was made: once, unless it broke."""

    def __init__(self, target: Target, deadline: float = 60) -> None:
        """Nothing is opened yet. `deadline` is in seconds, for the login."""
        self.target, self.deadline, self.logins = target, deadline, 0
        self._folder: Path | None = None
        self._master: subprocess.Popen[bytes] | None = None
        self._failed: DoorError | None = None
        self._ended = False
        self._lock = threading.RLock()

    def open(self) -> None:
        """Log in, where that was not done. Raises DoorError with the reason, the same one again until `retry`."""
        with self._lock:
            if self._master and self._master.poll() is None:
                return
            if self._failed:
                raise self._failed
            if self._ended:
                raise DoorError("the run has ended")
            try:
                self._log_in()
            except DoorError as error:
                self._failed = error
                self.close()
                raise

    def retry(self) -> None:
        """Forget that a login failed."""
        with self._lock:
            self._failed = None

    def run(self, command: str, given: bytes, seconds: float) -> Said:
        """Run a command line with this standard input. Raises DoorError without a connection, LateError after so many seconds."""
        with self.started(command, subprocess.PIPE) as process:
            try:
                out, err = process.communicate(given, timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                message = f"{self.target.host} did not answer within {seconds:g} s"
                raise LateError(message, Said(-1, out, err)) from None
        return Said(process.returncode, out, err)

    @contextlib.contextmanager
    def started(self, command: str, stderr: int | IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
        """Yield a command that runs on the connection, and end it. Raises DoorError where there is none."""
        self.open()
        words = [*self._client(), "-T", "--", self.target.host, command]
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            for stream in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(OSError):
                    if stream:
                        stream.close()
            process.wait()

    def forward(self, name: str, host: str, port: int) -> Path:
        """Return a socket here, in a folder of our own, that leads to a port as the master node sees it. Raises DoorError."""
        self.open()
        assert self._folder is not None
        path = self._folder / name
        words = [*self._client(), "-O", "forward", "-L", f"{path}:{host}:{port}", "--", self.target.host]
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, timeout=self.deadline, check=False, text=True
            )
        except subprocess.TimeoutExpired:
            raise DoorError(f"ssh did not open a way to port {port} within {self.deadline:g} s") from None
        if done.returncode:
            raise DoorError(f"ssh opens no way to port {port}: {ssh_faults.last(done.stderr)}")
        return path

    @property
    def shut(self) -> bool:
        """Say whether the login failed when it was last tried."""
        return self._failed is not None

    @property
    def alive(self) -> bool:
        """Say whether the connection is there."""
        return self._master is not None and self._master.poll() is None

    def ended(self, within: float) -> bool:
        """Say whether it is gone, or goes within so many seconds: who used it may hear of its end a moment before it ends."""
        if self._master is None:
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._master.wait(within)
        return not self.alive

    @property
    def complaint(self) -> str:
        """Return what the connection said last, empty for nothing."""
        try:
            said = (self._folder / "said").read_text(errors="replace") if self._folder else ""
        except OSError:
            return ""
        return ssh_faults.last(said) if said.strip() else ""

    def end(self) -> None:
        """Have it end, also where somebody waits for a login, and never be opened again; `close` waits for that."""
        self._ended = True
        master = self._master
        if master:
            master.terminate()

    def close(self) -> None:
        """End the connection, and remove what it left here."""
        with self._lock:
            master, self._master = self._master, None
            if master:
                assert master.stdin
                master.stdin.close()
                master.terminate()
                try:
                    master.wait(_END)
                except subprocess.TimeoutExpired:
                    master.kill()
                    master.wait()
            folder, self._folder = self._folder, None
            if folder:
                shutil.rmtree(folder, ignore_errors=True)

    def _client(self) -> list[str]:
        # No configuration: this client needs none. It could only find a second way in, which it must not take.
        return ["ssh", "-F", "/dev/null", "-S", str(self._socket), "-o", "ControlMaster=no", "-o", "ProxyCommand=false"]

    @property
    def _socket(self) -> Path:
        assert self._folder is not None
        return self._folder / "line"

    def _log_in(self) -> None:
        if self.target.key and not Path(self.target.key).is_file():
            raise DoorError(f"--ssh-key {self.target.key}: there is no such file")
        self.close()
        self._folder = _folder()
        self.logins += 1
        options = _ALWAYS | {"ConnectTimeout": str(max(1, int(self.deadline)))}
        words = ["ssh", "-M", "-S", str(self._socket), "-T", *(f"-o{name}={value}" for name, value in options.items())]
        with (self._folder / "said").open("wb") as said:
            try:
                self._master = subprocess.Popen(
                    [*words, *self.target.options, "--", self.target.host, "exec cat >/dev/null"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise DoorError("there is no ssh on this machine: install OpenSSH's client") from None
        until = time.monotonic() + self.deadline + _GRACE
        while not self._socket.exists():
            if self._ended:
                raise DoorError("the run has ended")
            code = self._master.poll()
            if code is not None or time.monotonic() > until:
                raise self._why(code)
            time.sleep(_TICK)

    def _why(self, code: int | None) -> DoorError:
        assert self._folder is not None
        target = self.target
        said = (self._folder / "said").read_text(errors="replace")
        if code is None:
            message = f"the login to {target.host} as {target.user} did not end within {self.deadline:g} s"
            return ShutError(message, "reached", "is the machine well?", ssh_faults.last(said))
        keys = offered(target.options, target.host, target.key) if "Permission denied" in said else ""
        port = target.port or "22"
        return ssh_faults.login(said, code, {"host": target.host, "port": port, "user": target.user, "keys": keys})


class Lines:
    """The connections of a run, one to each target. Close it; what is opened later is opened anew."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._held: dict[Target, SshLine] = {}
        self._asked: dict[str, SecretStr] = {}
        self._lock = threading.Lock()

    def line(self, target: Target, deadline: float) -> SshLine:
        """Return the connection to a target, whether it is open or not. A login that failed may be tried once more."""
        with self._lock:
            line = self._held.setdefault(target, SshLine(target, deadline))
        line.retry()
        return line

    def password(self, prompt: str) -> SecretStr:
        """Ask for a password on the terminal, once for each prompt. Raises DoorError where there is no terminal."""
        if prompt not in self._asked:
            try:
                with open("/dev/tty"):  # noqa: PTH123 - only whether there is one
                    self._asked[prompt] = SecretStr(getpass.getpass(prompt))
            except OSError:
                message = "--ask-sudo-password: there is no terminal to ask on; set HUBSPEC_SUDO_PASSWORD, or give --sudo-password-file FILE"
                raise DoorError(message) from None
        return self._asked[prompt]

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            for line in self._held.values():
                line.end()
            for line in self._held.values():
                line.close()
            self._held.clear()


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hubspec-"))
    if len(os.fsencode(folder)) <= _LONGEST:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="hubspec-", dir="/tmp"))
