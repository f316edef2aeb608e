"""A machine that audits: the image of deploy/container, and on top of it a real systemd in a container of the lab's engine."""

from __future__ import annotations

import contextlib
import io
import re
import tarfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError

from lab import inside
from lab.base import own_base
from lab.breaks.model import Scene
from lab.images import CA_BUNDLE, build_args
from tests.conftest import ROOT

LIMIT = 60.0
_BASE = """\
FROM {base}
COPY ca-bundle.crt /tmp/
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends ca-certificates && apt-get clean \\
 && if [ -s /tmp/ca-bundle.crt ]; then mv /tmp/ca-bundle.crt /etc/ssl/certs/ca-certificates.crt; fi
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
"""
"""What a company has: an image of its own that knows its certificate authorities."""
_SYSTEMD = """\
FROM {base}
USER root
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd \\
 && /usr/sbin/userdel hubspec && rm -r /var/lib/hubspec
CMD ["sh", "-c", "mount --make-rshared / && exec /lib/systemd/systemd"]
"""
"""systemd has its mounts shared, as credentials need it, on a machine, and in no container."""


def page(step: int) -> str:
    """Return the shell commands of a step of docs/nightly.md."""
    (text,) = re.findall(
        rf"^{step}\. .*?(?=^{step + 1}\. |^## )", (ROOT / "docs/nightly.md").read_text(), re.DOTALL | re.MULTILINE
    )
    return "\n".join(
        re.sub(r"^ {3,4}", "", block, flags=re.MULTILINE) for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    )


def _built(on: Scene, text: str, tag: str, **files: bytes) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, body in {"Dockerfile": text.encode(), **files}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    packed.seek(0)
    on.client.images.build(fileobj=packed, custom_context=True, tag=tag, rm=True, forcerm=True)
    return tag


def _base(on: Scene) -> str:
    for name in ("debian:bookworm-slim", own_base()[0]):
        if on.client.images.list(name=name):
            return name
    with contextlib.suppress(APIError):
        on.client.images.pull("debian", tag="bookworm-slim")
        return "debian:bookworm-slim"
    return own_base()[0]


def suite(on: Scene) -> tuple[str, str]:
    """Build the image of the suite as its user does, and return its tag, and that of what it is built on."""
    bundle = CA_BUNDLE.read_bytes() if CA_BUNDLE.exists() else b""
    base = _built(on, _BASE.format(base=_base(on)), "hubspec-test/base", **{"ca-bundle.crt": bundle})
    on.client.images.build(
        path=str(ROOT),
        dockerfile="deploy/container/Dockerfile",
        tag="hubspec-test/suite",
        buildargs={"BASE": base, **build_args()},
        rm=True,
        forcerm=True,
    )
    return "hubspec-test/suite", base


@dataclass(frozen=True)
class Machine:
    """The machine, its systemd up."""

    on: Scene
    name: str

    def sh(self, script: str, stdin: str = "") -> str:
        """Run a script as root, who has no sudo here, and return what it prints. Raises LabError where it fails."""
        return inside.must(self.on.client, self.name, f'set -e\nsudo() {{ "$@"; }}\n{script}', stdin=stdin)

    def put(self, path: str, text: str, mode: str = "644") -> None:
        """Write a file."""
        self.sh(f"cat > {path} && chmod {mode} {path}", stdin=text)

    def shown(self, unit: str) -> dict[str, str]:
        """Return what systemd knows of a unit."""
        return dict(line.split("=", 1) for line in self.sh(f"systemctl show {unit}").splitlines() if "=" in line)

    def ran(self, unit: str, start: str) -> dict[str, str]:
        """Start something that starts a service; return what systemd knows of it when it has ended."""
        before = self.shown(unit)["ExecMainExitTimestampMonotonic"]
        self.sh(start)
        deadline = time.monotonic() + LIMIT
        while True:
            now = self.shown(unit)
            if now["ExecMainExitTimestampMonotonic"] != before and now["ActiveState"] in {"inactive", "failed"}:
                return now
            assert time.monotonic() < deadline, self.sh(f"systemctl status --no-pager {unit} || true")
            time.sleep(0.2)


@contextlib.contextmanager
def running(on: Scene, image: str) -> Iterator[Machine]:
    """Yield the machine, up, on the network of this one; the folder deploy/ lies in it as in a checkout."""
    tag = _built(on, _SYSTEMD.format(base=image), "hubspec-test/machine")
    wanted: dict[str, Any] = {
        # All that systemd needs; not --privileged, which fails where this machine itself has not every capability.
        "cap_add": ["SYS_ADMIN", "NET_ADMIN"],
        "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
        "cgroupns": "host",
        "volumes": ["/sys/fs/cgroup:/sys/fs/cgroup"],
        "tmpfs": {"/run": "", "/run/lock": "", "/tmp": ""},
        "environment": {"container": "docker"},
        "network_mode": "host",
    }
    name = f"hubspec-test-{uuid.uuid4().hex[:8]}"
    box = on.client.containers.run(tag, name=name, detach=True, tty=True, labels={"hubspec.test": "1"}, **wanted)
    try:
        made = Machine(on, name)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(ROOT / "deploy", "deploy")
        box.put_archive("/opt/hubspec", packed.getvalue())
        deadline = time.monotonic() + LIMIT
        while inside.run(on.client, name, "systemctl is-system-running").out.strip() not in {"running", "degraded"}:
            assert time.monotonic() < deadline, box.logs().decode()
            time.sleep(0.2)
        yield made
    finally:
        box.remove(force=True, v=True)
