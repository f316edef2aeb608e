"""The account of a probe user in the container: made, found again, and removed with everything it left there.

Source of fact: shadow 4.8 and later (useradd, chpasswd, userdel), proc(5).
"""

from __future__ import annotations

from shlex import quote

from pydantic import SecretStr

from hubspec import probe_name
from hubspec.door import ContainerWorker
from hubspec.errors import DoorError
from hubspec.masked import MASK, masked

_ROOM = "exec 2>&1\nexport LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
# Its uid is above that of all homes and left-over files, so that nobody's files are its own. printf is the shell's own, so
# the password is in no process's arguments; the script comes on standard input.
_MAKE = """set -e
m=$( { find -H /home -maxdepth 1 -uid +999 -uid -60000 -printf '%U\\n'
  find /tmp /var/tmp /dev/shm -xdev -uid +999 -uid -60000 -printf '%U\\n'; } 2>/dev/null | sort -n | tail -n 1)
set -- -l -m -d /home/NAME -s "$(command -v bash || echo /bin/sh)" -c 'hubspec smoke test'
if [ -n "$m" ]; then set -- "$@" -K "UID_MIN=$((m + 1))"; fi
timeout 60 useradd "$@" -- NAME
printf '%s:%s\\n' NAME PASSWORD | timeout 60 chpasswd
"""
_NAMES = "{ sed 's/:.*//' /etc/passwd; ls /home; } | grep '^PREFIX' | sort -u || true\n"
# A zombie (Z) is gone but for the parent that has not asked.
_OWN = r"""
own() {
  for file in $(grep -lsE "^Uid:(.*[[:space:]])?$u([[:space:]]|$)" /proc/[0-9]*/status); do
    grep -qs '^State:[[:space:]]*Z' "$file" || { pid=${file#/proc/}; printf '%s ' "${pid%/status}"; }
  done
}
u=$(sed -n 's/^NAME:[^:]*:\([0-9]*\):.*/\1/p' /etc/passwd)
"""
_PROCESSES = (
    _OWN
    + r"""
[ -z "$u" ] || for pid in $(own); do echo "$pid $(tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null)"; done
"""
)
# A home may have become a link: it goes, not what it shows.
_REMOVE = (
    _OWN
    + r"""
if [ -n "$u" ] && [ "$u" -ge 1000 ]; then
  tries=0
  while pids=$(own) && [ -n "$pids" ] && [ "$tries" -lt 20 ]; do
    kill -KILL $pids 2>/dev/null
    tries=$((tries + 1))
    sleep 0.1
  done
  [ -z "$pids" ] || echo "left: processes $pids"
  find /tmp /var/tmp /dev/shm /run -xdev -uid "$u" -delete 2>/dev/null
  said=$(timeout 60 userdel -f -r -- NAME 2>&1)
fi
rm -f -- /var/mail/NAME /var/spool/mail/NAME /var/spool/cron/NAME /var/spool/cron/crontabs/NAME
more=$(rm -rf -- /home/NAME 2>&1)
! grep -q '^NAME:' /etc/group || groupdel NAME 2>/dev/null
! grep -q '^NAME:' /etc/passwd || echo "left: the account: $said"
! ls -d /home/NAME >/dev/null 2>&1 || echo "left: /home/NAME: $more"
"""
)


def make(worker: ContainerWorker, name: str, password: SecretStr) -> None:
    """Make an account with a home and a password. Raises DoorError with the last words of what refused."""
    assert probe_name.is_one(name)
    word = password.get_secret_value()
    said: list[str] = []
    try:
        worker.act(_ROOM + _MAKE.replace("NAME", name).replace("PASSWORD", quote(word)), said.append, stop=":")
    except DoorError as error:
        words = "; ".join(said[-3:]).replace(word, MASK)
        raise DoorError(f"no account could be made for a probe user: {words or error}") from None


def names(worker: ContainerWorker) -> list[str]:
    """Return the names of all probe users that have an account or a home. Raises DoorError."""
    said: list[str] = []
    worker.act(_ROOM + _NAMES.replace("PREFIX", probe_name.PREFIX), said.append, stop=":")
    return [name for line in said if probe_name.is_one(name := line.strip())]


def processes(worker: ContainerWorker, name: str) -> list[str]:
    """Return the processes of a probe user, each as its id and command line. Raises DoorError."""
    assert probe_name.is_one(name)
    said: list[str] = []
    worker.act(_ROOM + _PROCESSES.replace("NAME", name), said.append, stop=":")
    return [masked(line.strip()) for line in said if line.strip()]


def remove(worker: ContainerWorker, name: str) -> str:
    """End the processes of a probe user and remove its account, home, mail and other files; return what is left, and why."""
    assert probe_name.is_one(name)
    said: list[str] = []
    try:
        worker.act(_ROOM + _REMOVE.replace("NAME", name), said.append, stop=":")
    except DoorError as error:
        return "; ".join([*said[-2:], str(error)])
    return "; ".join(line.removeprefix("left: ") for line in said if line.startswith("left: "))


def by_hand(name: str) -> str:
    """Return the line that removes what is left, for a person."""
    return f"pkill -KILL -U {name}; userdel -f -r {name}; rm -rf /home/{name}"
