"""An SSH server of a test's own beside the lab's, with users who log in to every sort of trouble; gone afterwards."""

from __future__ import annotations

import contextlib
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from hubspec.cluster.ssh import Target
from hubspec.cluster.ssh_script import Rights
from lab import inside
from lab.breaks.model import Scene
from lab.engine import socket_path
from lab.model import MASTER, NETWORK

PASSWORD = "c4n4ry 'sudo' $(reboot)-7f"
_SETUP = r"""set -e
mkdir -p /run/sshd
ssh-keygen -A >/dev/null
echo 'Nobody may pass. NOISE' > /etc/banner
sed -i 's/^AllowUsers.*/AcceptEnv NONE/' /etc/ssh/sshd_config.d/lab.conf
printf 'Banner /etc/banner\nMaxStartups 100\nMatch User noforward\n  AllowTcpForwarding no\n' >> /etc/ssh/sshd_config.d/lab.conf
getent group engine >/dev/null || groupadd -o -g "$(stat -c %g /var/run/docker.sock)" engine
for user in asks limited terminal nosudo member chatty quits eats elsewhere noforward csh hostile cut; do
  useradd -m -s /bin/bash "$user"
  install -d -m 700 -o "$user" -g "$user" "/home/$user/.ssh"
  install -m 600 -o "$user" -g "$user" /dev/null "/home/$user/.ssh/authorized_keys"
  cat /home/hadoop/.ssh/authorized_keys > "/home/$user/.ssh/authorized_keys"
done
for user in member hostile cut; do usermod -aG engine "$user"; done
printf '%s\n' 'asks ALL=(ALL) ALL' 'limited ALL=(ALL) NOPASSWD: /usr/bin/docker' 'terminal ALL=(ALL) NOPASSWD: ALL' \
  'Defaults:terminal requiretty' 'chatty ALL=(ALL) NOPASSWD: ALL' 'noforward ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/tests
chmod 440 /etc/sudoers.d/tests
echo 'echo NOISE; echo NOISE >&2; printf "no end of line"' > /home/chatty/.bashrc
echo 'printf "NOISE \0\377\376 \303\n"; head -c 10000000 /dev/zero | tr "\0" x; echo' > /home/hostile/.bashrc
echo 'PATH=/home/cut:$PATH' > /home/cut/.bashrc
printf '%s\n' '#!/bin/sh' 'printf "["' 'pkill -KILL -u cut sshd' 'sleep 10' > /home/cut/docker
chmod 755 /home/cut /home/cut/docker
echo 'exit 3' > /home/quits/.bashrc
echo 'cat >/dev/null' > /home/eats/.bashrc
echo 'export DOCKER_HOST=unix:///nonexistent.sock' > /home/elsewhere/.bashrc
chpasswd
/usr/sbin/sshd -E /var/log/sshd
"""


@dataclass(frozen=True)
class Sshd:
    """The server: its container, its port on loopback, and the folder with the configuration that trusts it."""

    on: Scene
    name: str
    port: str
    folder: Path

    def target(self, user: str, password: str | None = None, **other: Any) -> Target:
        """Return how a user logs in to it."""
        rights = Rights(other.pop("sudo", "auto"), SecretStr(password) if password else None)
        known = {"host": "127.0.0.1", "port": self.port, "config": str(self.folder / "config"), "key": self.key}
        return Target(user=user, rights=rights, **(known | other))

    @property
    def key(self) -> str:
        """Return the file of the key that opens every account."""
        return str(self.on.lab.ssh_key)

    def sh(self, script: str) -> str:
        """Run a script in it as root."""
        return inside.must(self.on.client, self.name, script)

    def config(self, **values: str) -> str:
        """Write a configuration of its own, with more or other values, and return its path."""
        path = self.folder / f"config-{uuid.uuid4().hex[:8]}"
        settings = {"UserKnownHostsFile": str(self.folder / "known_hosts"), "IdentityAgent": "none"} | values
        path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        return str(path)


@contextlib.contextmanager
def running(on: Scene, folder: Path) -> Iterator[Sshd]:
    """Yield the server, up."""
    image = on.client.containers.get(MASTER).attrs["Config"]["Image"]
    box = on.client.containers.run(
        image,
        ["sleep", "infinity"],
        name=f"hubspec-test-{uuid.uuid4().hex[:8]}",
        detach=True,
        network=NETWORK,
        labels={"hubspec.test": "1"},
        ports={"22/tcp": ("127.0.0.1", None)},
        volumes=[f"{socket_path()}:/var/run/docker.sock"],
    )
    try:
        until = time.monotonic() + 20
        while not (ports := box.attrs["NetworkSettings"]["Ports"].get("22/tcp")):
            assert time.monotonic() < until
            time.sleep(0.1)
            box.reload()
        key = subprocess.run(
            ["ssh-keygen", "-y", "-f", on.lab.ssh_key], capture_output=True, text=True, check=True, timeout=10
        ).stdout
        prepare = f"install -d -o hadoop -g hadoop -m 700 /home/hadoop/.ssh; echo '{key.strip()}' > /home/hadoop/.ssh/authorized_keys\n"
        inside.must(on.client, box.name, prepare + _SETUP, stdin=f"asks:{PASSWORD}\nterminal:{PASSWORD}\n")
        host = inside.must(on.client, box.name, "cat /etc/ssh/ssh_host_ed25519_key.pub").split()
        made = Sshd(on, box.name, ports[0]["HostPort"], folder)
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{made.port} {host[0]} {host[1]}\n")
        (folder / "config").write_text(Path(made.config()).read_text())
        yield made
    finally:
        box.remove(force=True, v=True)
