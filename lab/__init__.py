"""The embedded EMR: a master node and a real JupyterHub in two containers on the local Docker engine.

`up` makes it, `status` finds it, `breaks` injects faults. Nothing here imports the library or pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.model import Lab, LabError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Lab", "LabError", "awake", "down", "status", "up"]


def up(progress: Callable[[str], None], *, hub: str | None = None) -> Lab:
    """Bring the lab up and answer it; what takes long is told to `progress`.

    `hub` is the version of JupyterHub; None is that of the lab that is there, else the default. A lab of another one is
    replaced, with its cluster, homes and settings. Raises: LabError.
    """
    from lab import house

    return house.up(progress, hub=hub)


def status() -> Lab | None:
    """Answer the lab that is up, also when it is broken, or None. Starts and repairs nothing. Raises: LabError."""
    from lab import house

    return house.status()


def awake(progress: Callable[[str], None]) -> Lab:
    """Answer the lab that is up, whatever is broken in it; bring up one that is not there, or whose master node does not run.

    A machine that was started anew has a lab that sleeps. Raises: LabError.
    """
    from lab import house

    return house.awake(progress)


def down(progress: Callable[[str], None], *, with_images: bool = False) -> None:
    """Remove everything the lab made but its images, which stay as a cache unless asked for. Raises: LabError."""
    from lab import house

    house.down(progress, with_images=with_images)
