"""What is timed: a real JupyterHub and an EMR API in containers of the lab's images, apart from the lab, gone afterwards."""

from __future__ import annotations

import hashlib
import io
import json
import ssl
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import requests

from benchmarks.world import World, package, person
from lab.containers import master_environment
from lab.images import HUB_IMAGE
from lab.versions import DEFAULT, VERSIONS

NAME, LABEL = "hubspec-bench", "hubspec.bench=1"
CLUSTER = "j-BENCH"
AWS = {
    "AWS_ACCESS_KEY_ID": "lab",
    "AWS_SECRET_ACCESS_KEY": "lab",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
}
CONFIG = "/etc/jupyter/conf/jupyterhub_config.py"
START_LIMIT = 90.0
BATCH = 250
"""Hub users made by one request."""


@dataclass
class House:
    """The container while it runs. It only grows: from world to larger world."""

    container: Any
    emr: Any
    folder: Path
    url: str = ""
    fingerprint: str = ""
    token: str = ""
    now: World = field(default_factory=lambda: World(0, 0))

    def open(self) -> None:
        """Wait for the hub and the AWS API, and learn the hub's certificate and a token of its admin."""
        port = _port(self.container, 9443)
        self.url = f"https://localhost:{port}"
        until = time.monotonic() + START_LIMIT
        while True:
            try:
                pem = ssl.get_server_certificate(("localhost", port), timeout=5)
                self.fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
                (self.folder / "hub.crt").write_text(pem)
                if self._hub("GET", "/").ok:
                    break
            except (OSError, ssl.SSLError):
                pass
            if time.monotonic() > until:
                message = f"the hub in {NAME} does not answer; last: {self.container.logs(tail=5).decode()}"
                raise SystemExit(message)
            time.sleep(0.2)
        self._wait_for_aws(until)
        self.token = self.sh(f"jupyterhub token -f {CONFIG} jovyan", workdir="/home/jovyan").split()[-1]
        file = self.folder / "token"
        file.touch(0o600)
        file.write_text(self.token)

    def _wait_for_aws(self, until: float) -> None:
        while True:
            try:
                requests.get(f"http://127.0.0.1:{_port(self.emr, 5000)}/", timeout=5)
            except requests.RequestException:
                if time.monotonic() > until:
                    raise SystemExit(f"the AWS API in {NAME}-emr does not answer") from None
                time.sleep(0.2)
            else:
                return

    def grow(self, world: World) -> None:
        """Add the accounts and hub users and packages that are missing up to this world, in a batch each."""
        records = {f"{r['name']}-{r['version']}-{r['build']}.json": r for r in map(package, range(world.packages))}
        files = {f"/opt/conda/conda-meta/{name}": json.dumps(record, indent=2) for name, record in records.items()}
        self.container.put_archive("/", _tar(files))
        names = self.add_accounts(world.people)
        for start in range(0, len(names), BATCH):
            self._hub("POST", "/users", {"usernames": names[start : start + BATCH]}).raise_for_status()
        self.now = world

    def add_accounts(self, count: int) -> list[str]:
        """Add the accounts that are missing up to so many people, of which the hub knows nothing yet; return their names."""
        people = [person(number) for number in range(self.now.people, count)]
        lines = {
            "passwd": "".join(f"{p['name']}:x:{p['uid']}:100::{p['home']}:{p['shell']}\n" for p in people),
            "shadow": "".join(f"{p['name']}:*:19700:0:99999:7:::\n" for p in people),
        }
        self.container.put_archive("/", _tar({f"/tmp/{name}": text for name, text in lines.items()}))  # noqa: S108
        self.sh("for f in passwd shadow; do cat /tmp/$f >> /etc/$f; rm /tmp/$f; done")
        return [str(p["name"]) for p in people]

    def environment(self, baseline: Path) -> dict[str, str]:
        """Return the variables under which `pytest checks/` audits this container, with the lab's EMR around it."""
        return AWS | {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{_port(self.emr, 5000)}",
            "HUBSPEC_CLUSTER": CLUSTER,
            "HUBSPEC_DOOR": "docker",
            "HUBSPEC_CONTAINER": NAME,
            "HUBSPEC_CONTAINER_LABEL": LABEL,
            "HUBSPEC_HUB_URL": self.url,
            "HUBSPEC_HUB_FINGERPRINT": self.fingerprint,
            "HUBSPEC_HUB_TOKEN_FILE": str(self.folder / "token"),
            "HUBSPEC_BASELINE": str(baseline),
        }

    def sh(self, script: str, **options: Any) -> str:
        """Run a script in the container and return what it prints. Ends the benchmark where it fails."""
        code, output = self.container.exec_run(["bash", "-c", script], **options)
        if code:
            raise SystemExit(f"{NAME}: {script}: status {code}: {output.decode()[-400:]}")
        return str(output.decode())

    def _hub(self, method: str, path: str, body: object = None) -> requests.Response:
        with self.session() as session:
            return session.request(method, f"{self.url}/hub/api{path}", json=body, timeout=300)

    def session(self) -> requests.Session:
        """Return a session that trusts the hub, with its admin's token."""
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"token {self.token}"
        session.verify = str(self.folder / "hub.crt")
        return session


def _published(port: int) -> dict[str, Any]:
    """Return a port on a free one of loopback, as docker's `run` takes it."""
    return {"ports": {f"{port}/tcp": ("127.0.0.1", None)}}


@contextmanager
def house(master_image: str, folder: Path) -> Iterator[House]:
    """Start the containers on free ports of loopback, in a network of their own; remove all whatever happens."""
    client = docker.from_env(timeout=300)
    key, value = LABEL.split("=")
    # The images carry the lab's label; it is taken back here, so that the lab does not count these as its own.
    common: dict[str, Any] = {"labels": {key: value, "hubspec.lab": "0"}, "network": NAME, "detach": True}
    _clear(client)
    try:
        client.networks.create(NAME, driver="bridge", labels={key: value})
        emr = client.containers.run(
            master_image,
            name=f"{NAME}-emr",
            environment=master_environment(CLUSTER, VERSIONS[DEFAULT]),
            **_published(5000),
            **common,
        )
        hub = client.containers.run(HUB_IMAGE, name=NAME, **_published(9443), **common)
        made = House(hub, emr, folder)
        made.open()
        yield made
    finally:
        _clear(client)
        client.close()


def _clear(client: Any) -> None:
    for container in client.containers.list(all=True, filters={"label": LABEL}):
        container.remove(force=True, v=True)
    for network in client.networks.list(filters={"label": LABEL}):
        network.remove()


def _port(container: Any, inside: int) -> int:
    container.reload()
    return int(container.ports[f"{inside}/tcp"][0]["HostPort"])


def _tar(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(text.encode()), 0o600
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()
