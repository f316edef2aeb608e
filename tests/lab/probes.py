"""The lab as a smoke test sees it: its doors, and what of a probe user is left in it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import lab
from fixtures.doors import _facts
from hubspec.cluster.opened import opened
from hubspec.cluster.options import DoorOptions
from hubspec.cluster.site import Site
from hubspec.door import Doors
from lab import hub, inside
from lab.breaks.model import Scene
from lab.model import HUB

_LEFT = """exec 2>/dev/null
grep -h '^hubspec-probe' /etc/passwd /etc/shadow /etc/group /etc/gshadow /etc/subuid /etc/subgid
ls -d /home/hubspec-probe* /var/mail/hubspec-probe* /var/spool/cron/crontabs/hubspec-probe*
known=$(cut -d: -f3 /etc/passwd)
for pid in $(ls /proc | grep -E '^[0-9]+$'); do
  grep -q '^State:[[:space:]]*Z' /proc/$pid/status && continue
  uid=$(awk '/^Uid:/ {print $2}' /proc/$pid/status)
  [ -z "$uid" ] || printf '%s\\n' "$known" | grep -qx "$uid" || echo "process $pid of $uid"
done
find /tmp /var/tmp /dev/shm -nouser -printf 'file %p\\n'
true
"""


class _Options(DoorOptions):
    folder = Path()

    def given(self, _option: str) -> None:
        return None

    def switched(self, _option: str) -> bool:
        return False

    def refuse(self, message: str) -> NoReturn:
        raise AssertionError(message)


@contextlib.contextmanager
def doors(here: lab.Lab, said: list[str]) -> Iterator[Doors]:
    """Yield the doors of the lab; what they say goes into `said`."""
    with opened(Site(here.cluster_id, _facts(here), here.aws_env), _Options(), said.append) as found:
        yield found


def left(on: Scene) -> list[str]:
    """Return every trace of a probe user: in the container, in the hub with its tokens, and in the proxy."""
    found = inside.must(on.client, HUB, _LEFT).splitlines()
    found += [json.dumps(one) for one in hub.must(on.lab, "GET", "/users") if one["name"].startswith("hubspec-probe")]
    found += [str(token) for token in hub.tokens(on.client) if "probe" in token.user or "probe" in token.note]
    found += [route for route in hub.must(on.lab, "GET", "/proxy") if "probe" in route]
    return found
