"""Why ssh, sudo or docker on the master node did not do what was asked, in words, from what they say themselves.

Source of fact: OpenSSH 7.4 to 9.9 (`sshconnect.c`, `sshconnect2.c`, `kex.c`, `clientloop.c`), sudo 1.8 and 1.9, Docker CLI.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hubspec.errors import DoorError, ShutError

KILLED = 137
"""What a shell makes of the end by SIGKILL."""
# Pattern, where on the way it is shut, and the sentence: what is so, a colon, and what to do about it.
_LOGIN = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "host key",
        (
            "the host key of {host} is not the one that is known: another machine answers there, or it was made anew; find out which,"
            " before you remove the old one (ssh-keygen -R {host})"
        ),
    ),
    (
        r"host key is known for|Host key verification failed",
        "host key",
        (
            "the host key of {host} is not known here: compare it with the one in the instance's console output, and add it to"
            " ~/.ssh/known_hosts by logging in once ({login})"
        ),
    ),
    (
        r"UNPROTECTED PRIVATE KEY FILE",
        "login",
        "ssh does not use a key file that others can read: chmod 600 it",
    ),
    (
        r"Too many authentication failures",
        "login",
        "{host} was offered too many keys: name the one with --ssh-key FILE",
    ),
    (
        r"Bad configuration option|bad configuration options|[Cc]an't open user config file|Bad owner or permissions on",
        "configuration",
        "ssh cannot read its configuration: mend it, or name another with --ssh-config FILE",
    ),
    (
        r"Could not resolve hostname|Name or service not known",
        "reached",
        "the name of {host} is not known here: join its network (VPN), or name a jump host for it in ~/.ssh/config (ProxyJump)",
    ),
    (
        r"during banner exchange|banner exchange: Connection to .* timed out",
        "reached",
        "{host} accepts connections and never speaks SSH: is there an SSH server, and is it well?",
    ),
    (
        r"Connection refused",
        "reached",
        "{host} refuses connections to port {port}: does its SSH server run, and is that its port?",
    ),
    (
        r"timed out|No route to host|Network is unreachable",
        "reached",
        (
            "{host} does not answer on port {port}: does the security group of the master node let this machine in"
            " (ElasticMapReduce-master, port 22), and is the VPN up?"
        ),
    ),
    (
        r"stdio forwarding failed",
        "reached",
        "{host} leads no further: may one forward connections there (AllowTcpForwarding), and does it reach the master node?",
    ),
    (
        r"Permission denied",
        "login",
        "{host} refused the login of {user}: {keys}",
    ),
    (
        r"kex_exchange_identification|Connection closed by|Connection reset by|closed by remote host",
        "reached",
        "{host} closed the connection before the login: is it an SSH server, and does it let this machine in?",
    ),
    (
        r"too long for Unix domain socket|unix_listener",
        "configuration",
        "the folder for temporary files has a name that is too long for a socket: set TMPDIR to a shorter one",
    ),
)
_PROXY = "UNKNOWN port 65535"
"""What ssh calls the other side where a jump host or ProxyCommand leads to it, and ended."""
_ENGINE = (
    (
        r"sudo: .*password is required|no tty present and no askpass",
        "sudo",
        (
            "sudo on {host} asks for a password: give it in HUBSPEC_SUDO_PASSWORD, with --sudo-password-file FILE or --ask-sudo-password,"
            " or let {user} run docker without one (sudoers)"
        ),
    ),
    (
        r"incorrect password attempt|no password was provided|Sorry, try again",
        "sudo",
        "sudo on {host} does not take the password that was given for {user}",
    ),
    (
        r"not in the sudoers|not allowed to (execute|run)|may not run sudo",
        "sudo",
        "sudo on {host} does not let {user} run docker: allow it in sudoers, or put {user} into the group docker",
    ),
    (
        r"sudo: .*must have a tty",
        "sudo",
        "sudo on {host} wants a terminal, which there is none of: take requiretty out of sudoers for {user}",
    ),
    (
        r"sudo: (command )?not found",
        "sudo",
        "there is no sudo on {host}: leave --sudo out, as a user who may use docker",
    ),
    (
        r"permission denied.*docker",
        "docker",
        "{user} may not use the Docker engine on {host}, and sudo was not used: allow it to {user} (--sudo), or put {user} into the group docker",
    ),
    (
        r"Cannot connect to the Docker daemon|error during connect",
        "docker",
        "no Docker engine answers on {host}: start it there (sudo systemctl start docker)",
    ),
    (
        r"docker: (command )?not found",
        "docker",
        "there is no docker on {host}: is it the master node of a cluster with JupyterHub?",
    ),
)
OWN = 255
"""What ssh itself ends with; any other status is that of what ran there (ssh(1))."""


def last(said: str) -> str:
    """Return the last line that says something, of what a program printed."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][-300:] if lines else "nothing was said"


def login(said: str, code: int, about: Mapping[str, str]) -> DoorError:
    """Return the error of a login that failed, from ssh's own words. `about` has host, port and user, and keys: which there were."""
    if _PROXY in said:
        return _before(said, about)
    found = re.search(r" port (\d+)", said)
    names = dict(about) | {"port": found.group(1) if found else about["port"]}
    port = f"-p {names['port']} " if names["port"] != "22" else ""
    known = _first(_LOGIN, said, login=f"ssh -l {names['user']} {port}{names['host']}", **names)
    if known:
        return known
    if code != OWN:
        what = f"the shell of {names['user']} on {names['host']} ended by itself (status {code})"
        return ShutError(what, "shell", "does its profile end it, or print what ends it?", last(said))
    what = f"no login to {names['host']} as {names['user']} (ssh ended with status {code})"
    return ShutError(what, "login", f"see what ssh says: ssh -v -l {names['user']} {port}{names['host']}", last(said))


def _before(said: str, about: Mapping[str, str]) -> DoorError:
    told = last("\n".join(line for line in said.splitlines() if _PROXY not in line))
    by_hand = f"ssh -l {about['user']} {about['host']}"
    user = re.search(r"(\S+)@\S+: Permission denied", said)
    names = {"host": f"the jump host before {about['host']}", "user": user.group(1) if user else "its user"}
    known = _first(
        _LOGIN[:-2], said, told, **names, port="its port", keys=f"log in by hand to see why ({by_hand})", login=by_hand
    )
    # Whatever is shut there: of the machine behind it nothing was seen.
    if known:
        return ShutError(known.what, "reached", known.then, known.said)
    other = f"the way to {about['host']} ended before it (ProxyJump, ProxyCommand)"
    return ShutError(other, "reached", f"see why: {by_hand}", told)


def engine(said: str, deed: str, *, host: str, user: str) -> DoorError:
    """Return the error of a `docker` command on the master node that failed, from what was printed there. `deed` is what it was for."""
    known = _first(_ENGINE, said, host=host, user=user)
    if known:
        return known
    told = re.findall(r"Error response from daemon: (.*)", said) or [last(said)]
    return DoorError(f"the Docker engine on {host} refused to {deed}: {told[-1]}")


def _first(table: Sequence[tuple[str, str, str]], said: str, told: str | None = None, **names: str) -> ShutError | None:
    for pattern, at, words in table:
        if re.search(pattern, said):
            what, _, then = words.partition(": ")
            return ShutError(what.format(**names), at, then.format(**names), told or last(said))
    return None
