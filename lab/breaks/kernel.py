"""Breaks of kernelspecs: one that is gone, one that cannot start, one that nobody declared."""

from __future__ import annotations

from functools import partial

from lab import inside, provision
from lab.breaks.model import Break, Scene
from lab.model import HUB
from lab.provision import KERNELS, STRAY

ANALYSIS = f"{KERNELS}/analysis"
OWN = "/home/diego/.local/share/jupyter/kernels"


def script(text: str, scene: Scene) -> None:
    """Run a script in the hub container."""
    inside.must(scene.client, HUB, f"set -e\n{text}")


def mend(scene: Scene) -> None:
    """Bring the kernels to what is declared."""
    provision.kernels(scene.client)


def _kernel(name: str, sentence: str, text: str, resource: str = "analysis", field: str = "") -> Break:
    return Break(name, sentence, "kernel", resource, partial(script, text), mend, field)


TABLE = (
    _kernel("kernel-missing", "the kernel analysis is not registered any more", f"rm -rf {ANALYSIS}"),
    _kernel(
        "kernel-gone",
        "the environment that the kernel analysis ran in is gone",
        f"sed -i 's|/opt/conda/bin/python3|/opt/conda/envs/gone/bin/python3|' {ANALYSIS}/kernel.json",
        field="runs",
    ),
    _kernel(
        "kernel-stray",
        "somebody registered a kernel for all users",
        f"mkdir -p {KERNELS}/{STRAY}; sed 's/Analysis/Faster Python/' {ANALYSIS}/kernel.json > {KERNELS}/{STRAY}/kernel.json",
        resource="*",
    ),
    _kernel(
        "kernel-own",
        "diego has a kernel of his own, in his home",
        f"mkdir -p {OWN}/mine; cp {ANALYSIS}/kernel.json {OWN}/mine; chown -R diego: /home/diego/.local",
        resource="*",
    ),
)
