"""An operating system account inside the container: what PAM logs a person in with."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from hubspec.kind import Kind, Observations, Undeclared, beyond_declared
from hubspec.model import Observation, Present, Resource, Text
from hubspec.user_actions import fix, forget

FIRST_PERSON, NOBODY = 1000, 65534
"""Debian and Ubuntu give people uids from 1000 (login.defs UID_MIN); 65534 is nobody."""

AccountName = Annotated[str, StringConstraints(pattern=r"^[^\s:/\x00-\x1f\x7f-]([^\s:/\x00-\x1f\x7f]){0,255}$")]


class User(Resource):
    """An account of /etc/passwd, /etc/group and /etc/shadow in the container."""

    UNORDERED: ClassVar[frozenset[str]] = frozenset({"groups"})

    name: AccountName
    uid: int | None = Field(None, ge=0, description="Numeric user id.")
    group: Text | None = Field(None, description="Name of the primary group.")
    groups: list[str] | None = Field(None, description="Names of all supplementary groups.")
    home: Text | None = Field(None, description="Home directory.")
    shell: Text | None = Field(None, description="Login shell.")
    locked: bool | None = Field(None, description="True: no password opens it (shadow entry starts with ! or *).")
    default_password: bool | None = Field(
        None, description="True: its password is the documented default (jovyan: jupyter), or the user's own name."
    )


# The hash never leaves the container: it is compared there, by perl's crypt, and only the verdict is sent. A hash is
# slow by design, so all processors work on it, and what was not reached in 20 s is left out: thousands of accounts
# must not cost the whole reading. The lines of one process are fewer bytes than a pipe writes at once.
_PERL = r"""
my $end = shift @ARGV;
open(my $shadow, "<", "/etc/shadow") or exit;
while (<$shadow>) { chomp; my ($n, $h) = split /:/; $hash{$n} //= $h }
for my $n (@ARGV) {
  last if time > $end;
  my $h = $hash{$n}; next unless defined $h;
  my $hit = 0;
  if ($h !~ /^[!*]/ && length $h) { for my $p ($n, $n eq "jovyan" ? "jupyter" : ()) {
    my $c = crypt($p, $h); $hit = 1 if defined $c && $c eq $h } }
  print "d:$n:", ($h eq "" ? 1 : $hit), "\n";
}
"""


def probe(declared: Iterable[Resource], _policy: Undeclared) -> str:
    """Return the script that reads all accounts, and compares the passwords of those that declare `default_password`."""
    asked = [user.name for user in declared if "default_password" in user.model_fields_set]
    script = """awk '{print "p:" $0}' /etc/passwd && awk '{print "g:" $0}' /etc/group || exit 1\n"""
    script += r"""awk -F: '{print "s:" $1 ":" ($2 ~ /^[!*]/ ? 1 : 0)}' /etc/shadow || true""" + "\n"
    if asked:
        names = " ".join(map(shlex.quote, asked))
        compare = f'perl -e {shlex.quote(_PERL)} -- "$(($(date +%s) + 20))"'
        script += f"printf '%s\\0' {names} | xargs -0 -P \"$(nproc)\" -n 16 {compare} || true\n"
    return script


def parse(answer: str) -> Observations:
    """Return every account by name from the probe's lines: `p:` passwd, `g:` group, `s:` locked, `d:` default password.

    Of two entries with one name the first counts, as it does for the C library. Raises ValueError on a line of
    /etc/passwd with fewer than seven fields or a uid that is no number.
    """
    rows: dict[str, list[list[str]]] = {"p": [], "g": [], "s": [], "d": []}
    for line in answer.split("\n"):
        if line[1:2] == ":" and line[0] in rows:
            rows[line[0]].append(line[2:].split(":"))
    group_names = {row[2]: row[0] for row in reversed(rows["g"]) if len(row) >= 4}
    members: dict[str, list[str]] = {}
    for row in rows["g"]:
        for member in row[3].split(",") if len(row) >= 4 and row[3] else ():
            members.setdefault(member, []).append(row[0])
    locked, default = ({row[0]: row[-1] == "1" for row in reversed(rows[mark])} for mark in "sd")
    users: Observations = {}
    for row in rows["p"]:
        if len(row) < 7 or not row[2].isdecimal():
            # The other fields may hold anything, a password in its old place too.
            message = f"/etc/passwd has a line that is no account, of the name {row[0]!r}"
            raise ValueError(message)
        name = row[0]
        fields: dict[str, Any] = {
            "uid": int(row[2]),
            "group": group_names.get(row[3], row[3]),
            "groups": sorted(members.get(name, [])),
            "home": row[5],
            "shell": row[6],
            "locked": locked.get(name),
            "default_password": default.get(name),
        }
        unread = {} if name in locked else {"locked": "its entry in /etc/shadow could not be read"}
        if name not in default:
            unread |= {
                "default_password": "its password was not compared with the default: no shadow entry, no perl, or no time"
            }
        seen = Present(User.model_construct(set(fields) | {"name"}, name=name, **fields), unread or None)
        users.setdefault(name, seen)
    return users


def undeclared(
    declared: Mapping[str, Resource], observed: Mapping[str, Observation], policy: Undeclared
) -> dict[str, Any]:
    """Return the accounts of people that were not declared; system accounts (uid below 1000, nobody) are no drift."""
    extra = beyond_declared(declared, observed, policy)
    return {name: seen for name, seen in extra.items() if seen["uid"] >= FIRST_PERSON and seen["uid"] != NOBODY}


KIND = Kind(
    name="user",
    section="users",
    resource=User,
    door="container",
    reads="/etc/passwd, /etc/group, and of /etc/shadow whether an entry is locked or the default",
    probe=probe,
    parse=parse,
    fix=fix,
    undeclared=undeclared,
    forget=forget,
)
