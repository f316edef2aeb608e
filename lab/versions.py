"""The hub versions that the lab can be made with, and the EMR release that the lab's cluster then says it is.

Source of fact: EMR Release Guide, 'JupyterHub release history', and the component versions of each release. No release
was found that ships 2.0 or later: such a hub is one that an administrator upgraded, on the release of the default.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.model import LabError

DEFAULT = "1.5.0"


@dataclass(frozen=True)
class Version:
    """One hub version: the EMR release that the lab's cluster is, its Hadoop, Spark and Livy, and all that ship this hub.

    `told` is the version that EMR tells of JupyterHub: it does not know of an upgrade.
    """

    hub: str
    release: str
    below: str
    shipped: str
    told: str = ""

    @property
    def applications(self) -> dict[str, str]:
        """Answer name -> version of the cluster's applications, as RunJobFlow lists them."""
        return {
            **dict(zip(("Hadoop", "Spark", "Livy"), self.below.split(), strict=True)),
            "JupyterHub": self.told or self.hub,
        }


def _upgraded(hub: str) -> Version:
    return Version(hub, "emr-7.1.0", "3.3.6 3.5.0 0.8.0", "none; an upgrade by hand", told=DEFAULT)


VERSIONS = {
    version.hub: version
    for version in (
        Version("0.8.1", "emr-5.18.1", "2.8.4 2.3.2 0.4.0", "5.14.0 to 5.18.1"),
        Version("0.9.6", "emr-5.26.0", "2.8.5 2.4.3 0.6.0", "5.24.0 to 5.26.0"),
        Version("1.0.0", "emr-5.29.0", "2.8.5 2.4.4 0.6.0", "5.27.0 to 5.29.0, 6.0.x"),
        Version("1.1.0", "emr-6.2.0", "3.2.1 3.0.1 0.7.0", "5.30.0 to 5.34.0, 6.1.x, 6.2.x"),
        Version("1.4.1", "emr-6.12.0", "3.3.3 3.4.0 0.7.1", "5.36.2, 6.4.0 to 6.12.0"),
        Version("1.5.0", "emr-7.1.0", "3.3.6 3.5.0 0.8.0", "6.13.0 to 6.15.0, 7.0.0 to 7.12.0"),
        _upgraded("2.3.1"),
        _upgraded("5.4.6"),
        _upgraded("6.1.1"),
    )
}
"""By version, oldest first."""


def known(hub: str) -> Version:
    """Answer what is known of a version. Raises: LabError with the list, where the lab cannot be made with it."""
    if hub not in VERSIONS:
        raise LabError(
            f"the lab has no hub {hub}", wanted=f"one of {', '.join(VERSIONS)}", then="python -m lab up --hub 1.5.0"
        )
    return VERSIONS[hub]


def at_least(hub: str, since: str) -> bool:
    """Answer whether a hub's version is `since` or later; both are numbers and dots."""
    return [int(part) for part in hub.split(".")] >= [int(part) for part in since.split(".")]
