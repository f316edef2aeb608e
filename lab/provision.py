"""What administrators put into the hub container by `docker exec`: users, packages, files, hub users.

Every function here converges: it brings one kind to its declared state from any other, so `up` and `mend` share them.
All of it but files and hub users is lost when the container is made anew, as on EMR (Release Guide, 'Considerations when using JupyterHub').
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab import hub, inside, state
from lab.model import HUB, Lab

if TYPE_CHECKING:
    from docker import DockerClient

GROUP, GID = "analysts", 2000
STRAY = "mallory"
KERNELS = "/opt/conda/share/jupyter/kernels"
MARK = "/var/lib/hubspec-lab-provisioned"
PIP = "/opt/conda/bin/pip --disable-pip-version-check -q"
PIP_INSTALL = f"{PIP} install --no-index --find-links /opt/pip-wheels --no-deps"


@dataclass(frozen=True)
class Person:
    """One declared user, in the OS and in the hub. Their own group has the user's name, but for jovyan's: users."""

    name: str
    uid: int
    groups: tuple[str, ...] = ()
    admin: bool = False
    own_group: bool = True


PEOPLE = (
    Person("jovyan", 1000, admin=True, own_group=False),
    Person("diego", 1001, (GROUP,)),
    Person("shirley", 1002, (GROUP,)),
    Person("ana", 1003),
)


def users(client: DockerClient) -> None:
    """Make users, groups, shells and passwords as declared; the passwords are random, made once per lab."""
    file = state.FOLDER / "passwords.json"
    if not file.exists():
        made = {person.name: secrets.token_urlsafe(15) for person in PEOPLE}
        state.keep(client, file.name, json.dumps(made, indent=2).encode())
    lines = [f"if id {STRAY} >/dev/null 2>&1; then userdel -r {STRAY} 2>/dev/null; fi"]
    lines.append(f"getent group {GROUP} >/dev/null || groupadd -g {GID} {GROUP}")
    for who in PEOPLE:
        main = who.name if who.own_group else "users"
        if who.own_group:
            lines.append(f"getent group {main} >/dev/null || groupadd -g {who.uid} {main}")
        shape = f"-u {who.uid} -g {main} -G '{','.join(who.groups)}' -s /bin/bash -d /home/{who.name}"
        lines.append(f"id {who.name} >/dev/null 2>&1 || useradd -m {shape} {who.name} 2>/dev/null")
        lines.append(f"usermod {shape} {who.name} >/dev/null")
    passwords = json.loads(file.read_text())
    given = "".join(f"{name}:{word}\n" for name, word in passwords.items())
    inside.must(client, HUB, "set -e\n" + "\n".join([*lines, "chpasswd"]), stdin=given)


def packages(client: DockerClient) -> None:
    """Install and remove conda and pip packages until they are as declared, without a network."""
    script = f"""set -e
export PATH=/opt/conda/bin:$PATH
printf 'keras 2.12.*\n' > /opt/conda/conda-meta/pinned
conda install -q -y keras=2.12.0
[ -d /opt/conda/envs/analysis/conda-meta ] || conda create -q -y -n analysis
conda install -q -y -n analysis toolz=0.12.0
if ls /opt/conda/conda-meta/cloudpickle-*.json >/dev/null 2>&1; then conda remove -q -y cloudpickle; fi
ls -d /opt/conda/lib/python3*/site-packages/tabulate-0.9.0.dist-info >/dev/null 2>&1 || {PIP_INSTALL} tabulate==0.9.0
if ls -d /opt/conda/lib/python3*/site-packages/colorama-*.dist-info >/dev/null 2>&1; then {PIP} uninstall -y colorama; fi"""
    inside.must(client, HUB, script)


def kernels(client: DockerClient) -> None:
    """Register the kernels as declared, and take the others away. Jupyter's own is put back from the package that brought it."""
    script = f"""set -e
cd {KERNELS}
rm -rf {STRAY} ../kernels.hubspec /home/diego/.local/share/jupyter/kernels
grep -qs '"python"' python3/kernel.json || {{
  mkdir -p python3
  /opt/conda/bin/python3 -c 'import json, sys; from ipykernel.kernelspec import get_kernel_dict; spec = get_kernel_dict(); spec["argv"][0] = "python"; json.dump(spec, sys.stdout, indent=1)' > python3/kernel.json
}}
grep -qs '"display_name": "Analysis"' analysis/kernel.json && grep -qs '"/opt/conda/bin/python3"' analysis/kernel.json ||
  /opt/conda/bin/python3 -m ipykernel install --prefix /opt/conda --name analysis --display-name Analysis"""
    inside.must(client, HUB, script)


def files(client: DockerClient) -> None:
    """Put the settings back to what the image brings: contents, owners, modes, and nothing more."""
    script = """set -e
cd /etc/jupyter
for file in jupyterhub_config.py config.json; do
  cmp -s /opt/lab/etc/$file conf/$file || install -m 644 /opt/lab/etc/$file conf/$file
done
cmp -s /opt/lab/etc/jupyter_notebook_config.py jupyter_notebook_config.py ||
  install -m 644 /opt/lab/etc/jupyter_notebook_config.py jupyter_notebook_config.py
chown root:root . conf conf/* jupyter_notebook_config.py
chmod 755 . conf
chmod 644 conf/*.py conf/*.json conf/server.crt jupyter_notebook_config.py
chmod 600 conf/server.key
rm -f conf/extra_config.py"""
    inside.must(client, HUB, script)


def hub_users(lab: Lab) -> None:
    """Make the hub's users, admins and groups as declared, by the hub's API."""
    known = {user["name"]: user for user in hub.must(lab, "GET", "/users")}
    groups = {group["name"]: group for group in hub.must(lab, "GET", "/groups")}
    for who in PEOPLE:
        if who.name not in known:
            hub.must(lab, "POST", f"/users/{who.name}", {"admin": who.admin})
        elif known[who.name]["admin"] != who.admin:
            hub.must(lab, "PATCH", f"/users/{who.name}", {"admin": who.admin})
    if STRAY in known:
        hub.must(lab, "DELETE", f"/users/{STRAY}")
    if GROUP not in groups:
        hub.must(lab, "POST", f"/groups/{GROUP}", {})
    members = {who.name for who in PEOPLE if GROUP in who.groups}
    missing = sorted(members - set(groups.get(GROUP, {}).get("users", [])))
    if missing:
        hub.must(lab, "POST", f"/groups/{GROUP}/users", {"users": missing})


def everything(client: DockerClient, lab: Lab) -> None:
    """Provision a hub container that was just made, and mark it as done."""
    users(client)
    packages(client)
    kernels(client)
    hub.wait(lab)
    hub.ensure_token(client, lab)
    hub_users(lab)
    inside.must(client, HUB, f"touch {MARK}")


def done(client: DockerClient) -> bool:
    """Answer whether the present hub container was provisioned to the end."""
    return inside.run(client, HUB, f"test -e {MARK}").code == 0
