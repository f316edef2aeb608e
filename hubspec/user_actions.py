"""What makes, changes, locks, opens and removes accounts in the container, by Debian's own tools (shadow 4.8 and later)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from shlex import quote
from typing import Any

from hubspec.model import Absent, Action, Drift, Pattern, Resource
from hubspec.shell import ACCOUNTS, SHADOW, do, entry, literal, refuse

_OPTIONS = {"uid": "-u", "home": "-d", "group": "-g", "groups": "-G", "shell": "-s"}
_OWNED = ("uid", "home")
"""What is unsafe to change: files belong to a uid, and lie in a home."""
# printf is the shell's own, so the password is in no process's arguments; 24 bytes are 32 characters of base64.
_RANDOM = """printf '%s:%s\\n' {name} "$(head -c 24 /dev/urandom | base64)" | chpasswd"""
# 0: its password is the documented default or its own name; 1: it is another, or the account is locked; 9: not known.
_DEFAULT = (
    'open F, "/etc/shadow" or exit 9; while (<F>) { chomp; ($n, $h) = split /:/; next if $n ne $ARGV[0]; '
    'exit 0 if $h eq ""; for $p ($n, $n eq "jovyan" ? "jupyter" : ()) { exit 0 if crypt($p, $h) eq $h } exit 1 } exit 9'
)


def fix(drift: Drift) -> list[Action]:
    """Return what creates the account, or changes just the fields that differ. What owns files is changed by itself."""
    if drift.expected.ensure == "absent":
        return forget(drift.name)
    if isinstance(drift.observed, Absent):
        return _create(drift.expected)
    name, wanted = drift.name, {difference.field: difference.wanted for difference in drift.differences}
    actions = []
    owned, other = ({f: v for f, v in wanted.items() if _plain(v) and (f in _OWNED) is yes} for yes in (True, False))
    if rest := {field: value for field, value in other.items() if field in _OPTIONS}:
        actions.append(do(f"change {name}: {', '.join(rest)}", _change(name, rest), "safe"))
    if owned:
        actions.append(do(f"change {name}: {', '.join(owned)}", _change(name, owned), "unsafe"))
    for field, value in wanted.items():
        if isinstance(value, Pattern):
            sentence = f"choose a {field} for {name} that matches {value.matches}"
            actions.append(do(sentence, f"usermod {_OPTIONS[field]} VALUE -- {quote(name)}", "manual"))
    if wanted.get("locked"):
        actions.append(do(f"lock {name}", f"usermod -L -- {quote(name)}", "safe"))
    elif wanted.get("locked") is False:
        actions.append(_open(name))
    elif wanted.get("default_password") is False:
        actions.append(_replace(name))
    return actions


def forget(name: str) -> list[Action]:
    """Return what removes an account that must not be there; its home is kept."""
    command = f"! {entry(name, '', ACCOUNTS)} || userdel -- {quote(name)}"
    return [do(f"remove the account {name}, keep its home", command, "unsafe")]


def _plain(value: Any) -> bool:
    return isinstance(value, int | str | list)


def _options(values: Mapping[str, Any], fields: Iterable[str]) -> str:
    words = {
        field: ",".join(value) if isinstance(value, list) else str(value)
        for field in fields
        if _plain(value := values.get(field))
    }
    return "".join(f" {_OPTIONS[field]} {quote(word)}" for field, word in words.items())


def _groups(values: Mapping[str, Any], but: str = "") -> str:
    """Return the commands that make groups, where there are none.

    Their numbers are a system's (-r): none becomes that of a person's own group, whose files may already lie in a home.
    """
    group, groups = values.get("group"), values.get("groups")
    names = [*([group] if isinstance(group, str) else []), *(groups or [])]
    return "".join(f"groupadd -f -r -- {quote(one)} && " for one in dict.fromkeys(names) if one != but)


def _change(name: str, wanted: Mapping[str, Any]) -> str:
    return f"{_groups(wanted)}usermod{_options(wanted, wanted)} -- {quote(name)}"


def _create(expected: Resource) -> list[Action]:
    name, stated = expected.name, expected.stated()
    own = not isinstance(stated.get("group"), str) or stated["group"] == name
    home = stated["home"] if isinstance(stated.get("home"), str) else None
    uid = stated.get("uid")
    fields = ("uid", "home") if own else ("uid", "home", "group")
    before = "set --; "
    if own:  # the group of the account's own name, which may have outlived it
        before += _GROUP.format(program=quote(f"s/^{literal(name)}:[^:]*:([0-9]{{4,}}):.*/\\1/p"))
    if uid is None:
        before += _UID.format(home=quote(home if home and home.startswith("/") else f"/home/{name}"))
    made = f'useradd -m{_options(stated, fields)} "$@" -- {quote(name)}'
    steps = [f"if ! {entry(name, '', ACCOUNTS)}; then {before}{made}; fi"]
    rest = f"[^:]*:{'[^:]*' if uid is None else uid}:[^:]*:[^:]*:{literal(home) if home else '[^:]*'}:"
    steps.append(entry(name, rest, ACCOUNTS))
    if change := _options(stated, ("group", "groups", "shell")):
        steps.append(f"usermod{change} -- {quote(name)}")
    why = f"{name} is not as declared: has another account its name or its uid? see getent passwd"
    command = f"{{ {_groups(stated, but=name)}{' && '.join(steps)}; }} || {{ {refuse(why)}; }}"
    actions = [do(f"create the account {name}", command, "safe")]
    if stated.get("locked") is False:
        actions.append(_open(name))
    return actions


_GROUP = """g=$(sed -nE {program} /etc/group); if [ -n "$g" ]; then set -- -g "$g"; else set -- -U; fi; """
# Where no uid is declared: that of whoever owns the home that outlived the account; else one above those of all homes,
# so that nobody comes to own the home of another who is still to be made again.
_UID = (
    "u=$(find -H {home} -maxdepth 0 -uid +999 -printf %U 2>/dev/null); "
    "m=$(find -H /home -maxdepth 1 -uid +999 -uid -60000 -printf '%U\\n' 2>/dev/null | sort -n | tail -n 1); "
    'if [ -n "$u" ]; then set -- "$@" -u "$u"; elif [ -n "$m" ]; then set -- "$@" -K "UID_MIN=$((m + 1))"; fi; '
)


def _open(name: str) -> Action:
    sentence = f"open {name} with a random password that nobody knows: set theirs with passwd {name}"
    return do(sentence, f"{entry(name, '[^!*]', SHADOW)} || {_RANDOM.format(name=quote(name))}", "safe")


def _replace(name: str) -> Action:
    sentence = (
        f"replace the default password of {name} by a random one that nobody knows:"
        f" nobody can log in as {name} until theirs is set with passwd {name}"
    )
    why = f"whether {name} has a default password is not known: no entry in {SHADOW}, or no perl"
    command = (
        f"perl -e {quote(_DEFAULT)} -- {quote(name)}; "
        f"case $? in 0) {_RANDOM.format(name=quote(name))} ;; 1) ;; *) {refuse(why)} ;; esac"
    )
    return do(sentence, command, "unsafe")
