"""What a lab is, seen from outside: one record of facts, one kind of failure, and the names the lab uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HUB = "jupyterhub"
MASTER = "emr-master"
LABEL_KEY = "hubspec.lab"
LABEL = f"{LABEL_KEY}=1"
NETWORK = "hubspec-lab"
REGION = "us-east-1"
ROOM = Path(__file__).resolve().parent
ROOT = ROOM.parent


class LabError(Exception):
    """The lab could not do what was asked: what happened, wanted, found, the last output, the next step."""

    def __init__(self, what: str, *, wanted: str = "", found: str = "", last: str = "", then: str = "") -> None:
        """Put the parts that are known one below the other."""
        parts = (("wanted", wanted), ("found", found), ("last output", last), ("next", then))
        lines = [what, *(f"  {title}: {text.strip()}" for title, text in parts if text.strip())]
        super().__init__("\n".join(lines))


def hub_image(version: str) -> str:
    """Answer the tag of the image with a hub of this version."""
    return f"hubspec-lab/hub:{version}"


@dataclass(frozen=True)
class Lab:
    """A lab that is up: where its parts answer, and which files hold its secrets.

    Every fact is fixed when the lab is made, so none needs a hub that runs.
    """

    container: str
    master: str
    cluster_id: str
    region: str
    hub_url: str
    hub_fingerprint: str
    aws_port: int
    ssh_port: int
    base: str
    version: str
    master_id: str
    state: Path

    @property
    def image(self) -> str:
        """Answer the tag of the hub's image that a baseline can name: it says the version, and does not change otherwise."""
        return hub_image(self.version)

    @property
    def baseline(self) -> str:
        """Answer the baseline that declares this lab, below the repository."""
        own = f"baselines/lab-{self.version}.yaml"
        return own if (ROOT / own).exists() else "baselines/lab.yaml"

    @property
    def label(self) -> str:
        """Answer the label that every container, volume and network of the lab carries."""
        return LABEL

    @property
    def token_file(self) -> Path:
        """Answer the file (0600) with an admin's token of the hub, minted once."""
        return self.state / "token"

    @property
    def ca_file(self) -> Path:
        """Answer the hub's certificate as a file, by which it can be trusted and nothing else."""
        return self.state / "server.crt"

    @property
    def passwords_file(self) -> Path:
        """Answer the file (0600, JSON) with the OS users' random passwords by name."""
        return self.state / "passwords.json"

    @property
    def ssh_key(self) -> Path:
        """Answer the private key (0600) that opens the master node for user hadoop."""
        return self.state / "id"

    @property
    def known_hosts(self) -> Path:
        """Answer the file with the master node's host key, for a strict SSH client."""
        return self.state / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        """Answer the file by which ssh finds the master node, its key and its host key: `ssh -F FILE localhost`."""
        return self.state / "ssh_config"

    @property
    def aws_env(self) -> dict[str, str]:
        """Answer the AWS variables under which every AWS client speaks to the lab."""
        return {
            # An address and not a name: botocore then keeps bucket names in the path, where they resolve.
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.aws_port}",
            "AWS_ACCESS_KEY_ID": "lab",
            "AWS_SECRET_ACCESS_KEY": "lab",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }

    @property
    def env(self) -> dict[str, str]:
        """Answer every variable that `python -m lab env` prints."""
        return {
            **self.aws_env,
            "HUBSPEC_HUB_URL": self.hub_url,
            "HUBSPEC_HUB_FINGERPRINT": self.hub_fingerprint,
            "HUBSPEC_HUB_TOKEN_FILE": str(self.token_file),
            "HUBSPEC_SSH_CONFIG": str(self.ssh_config),
            "HUBSPEC_CONTAINER": self.container,
            "HUBSPEC_CONTAINER_LABEL": self.label,
            "HUBSPEC_BASELINE": self.baseline,
        }
