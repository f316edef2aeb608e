"""What a fix of an account does, by Debian's own tools on a made-up root; each request twice. chpasswd is a stub here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hubspec.compare import compare
from hubspec.kinds.user import KIND, User
from hubspec.model import Absent, Action
from tests.unit.test_probe_others import IGNORED, crypt

TOOLS = ("useradd", "usermod", "userdel", "groupadd")
PASSWD = (
    "root:x:0:0:root:/root:/bin/bash\njovyan:x:1000:100::/home/jovyan:/bin/bash\nbob:x:1500:1500::/home/bob:/bin/sh\n"
)
GROUP = "root:x:0:\nusers:x:100:\nbob:x:1500:\nstaff:x:50:\nleft:x:1600:\n"
SHADOW = "root:*:1::::::\njovyan:!:1::::::\nbob:{bob}:1::::::\n"
# What `chpasswd` is told: the account, and how many bytes its password has.
CHPASSWD = r"""#!/bin/sh
IFS=: read -r name password
[ "${#password}" -ge 32 ] || exit 1
echo "$name" >> ROOT/given
sed -i "s/^$name:[^:]*:/$name:hash${#password}:/" ROOT/etc/shadow
"""

pytestmark = pytest.mark.skipif(
    os.getuid() != 0 or not all(map(shutil.which, TOOLS)), reason="only root makes accounts, by Debian's passwd"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a root with an /etc, and the tools that work on it instead of ours."""
    for folder in ("etc", "home", "bin"):
        (tmp_path / folder).mkdir()
    for name, text in (("passwd", PASSWD), ("group", GROUP), ("shadow", SHADOW.format(bob=crypt("bob")))):
        (tmp_path / "etc" / name).write_text(text)
    shutil.copy("/etc/login.defs", tmp_path / "etc")
    for tool in TOOLS:
        (tmp_path / "bin" / tool).write_text(f'#!/bin/sh\nexec {shutil.which(tool)} -P {tmp_path} "$@"\n')
    (tmp_path / "bin" / "chpasswd").write_text(CHPASSWD.replace("ROOT", str(tmp_path)))
    for path in (tmp_path / "bin").iterdir():
        path.chmod(0o755)
    return tmp_path


def sh(script: str, root: Path) -> subprocess.CompletedProcess[str]:
    for folder in ("/etc/", "/home/"):
        script = script.replace(f"{folder}passwd", f"{root}{folder}passwd").replace(
            f"{folder}shadow", f"{root}{folder}shadow"
        )
    script = script.replace("} /etc/group", f"}} {root}/etc/group").replace("' /etc/group", f"' {root}/etc/group")
    script = script.replace("find -H /home", f"find -H {root}/home")
    env = {"PATH": f"{root}/bin:{os.environ['PATH']}", "LC_ALL": "C"}
    text = f"(\n{script}\n) </dev/null"
    return subprocess.run(["sh"], input=text, env=env, capture_output=True, text=True, timeout=60, check=False)


def fixes(user: User, root: Path) -> list[Action]:
    seen = KIND.parse(sh(KIND.probe([user], IGNORED), root).stdout).get(user.name, Absent())
    assert isinstance(seen, Absent) or hasattr(seen, "resource")
    drift = compare("user", user, seen)  # type: ignore[arg-type]
    return KIND.fix(drift) if drift else []


def state(root: Path) -> list[str]:
    return [(root / "etc" / name).read_text() for name in ("passwd", "group", "shadow")]


def line(root: Path, name: str, file: str = "passwd") -> list[str]:
    (found,) = [one for one in (root / "etc" / file).read_text().splitlines() if one.startswith(f"{name}:")]
    return found.split(":")


def put_right(root: Path, name: str = "diego", **fields: Any) -> list[str]:
    """Carry out every action, then every one again, which changes nothing; return how dangerous they were."""
    user = User(name=name, **fields)
    actions = fixes(user, root)
    for action in actions:
        done = sh(action.request, root)
        assert done.returncode == 0, done.stderr
    assert fixes(user, root) == []
    before = state(root)
    for action in actions:
        assert sh(action.request, root).returncode == 0
    assert state(root) == before, "the second run changed something"
    return [action.safety for action in actions]


def home(root: Path, name: str, uid: int) -> None:
    (root / "home" / name).mkdir()
    os.chown(root / "home" / name, uid, uid)


def test_every_field(root: Path) -> None:
    wanted = {"uid": 1001, "group": "users", "groups": ["staff", "new"], "home": "/srv/diego", "shell": "/bin/bash"}
    (root / "srv").mkdir()
    assert put_right(root, **wanted, locked=False) == ["safe", "safe"]

    assert line(root, "diego")[2:] == ["1001", "100", "", "/srv/diego", "/bin/bash"]
    assert int(line(root, "new", "group")[2]) < 1000, "no number of a person's own group"
    assert (root / "srv" / "diego").stat().st_uid == 1001
    assert line(root, "diego", "shadow")[1] == "hash32"


def test_nothing_but_the_name(root: Path) -> None:
    assert put_right(root) == ["safe"]
    assert line(root, "diego", "shadow")[1] == "!", "a new account is locked"
    assert line(root, "diego")[3] == line(root, "diego", "group")[2], "its own group"


def test_the_owner_of_a_home_that_is_there_gets_his_number_back(root: Path) -> None:
    home(root, "diego", 1234)
    home(root, "lost", 1700)
    put_right(root)
    put_right(root, "new")

    assert line(root, "diego")[2] == "1234"
    assert int(line(root, "new")[2]) > 1700, "nobody comes to own the home of another"


def test_a_home_of_the_system_is_no_persons(root: Path) -> None:
    home(root, "diego", 33)
    put_right(root)
    assert int(line(root, "diego")[2]) >= 1000


def test_the_group_of_the_name_that_is_left_is_taken(root: Path) -> None:
    put_right(root, "left")
    assert line(root, "left")[3] == "1600"


@pytest.mark.parametrize(("name", "fields", "said"), [
    ("diego", {"uid": 1500}, "UID 1500 is not unique"),
    ("bob", {"uid": 1501}, "bob is not as declared: has another account its name or its uid?"),
    ("bob", {"home": "/srv/bob"}, "bob is not as declared: has another account its name or its uid?"),
    ("diego", {"groups": ["a b"]}, "is not a valid group name"),
    ("diego", {"home": "relative"}, "invalid home directory"),
])  # fmt: skip
def test_a_name_or_a_number_that_is_taken_fails_and_says_why(name: str, fields: Any, said: str, root: Path) -> None:
    user, before = User(name=name, **fields), state(root)
    from hubspec.model import Difference, Drift

    (create, *_) = KIND.fix(Drift("user", name, user, Absent(), (Difference("ensure", "present", "absent"),)))
    done = sh(create.request, root)

    assert done.returncode != 0
    assert said in done.stderr
    assert [text for text in state(root) if f"{name}:" in text] == [text for text in before if f"{name}:" in text]


def test_what_differs_is_changed(root: Path) -> None:
    assert put_right(root, "bob", shell="/bin/bash", groups=["staff", "extra"], group="users") == ["safe"]
    assert put_right(root, "bob", groups=[]) == ["safe"]
    assert put_right(root, "bob", uid=1777, home="/home/other") == ["unsafe"]
    assert line(root, "bob")[2:] == ["1777", "100", "", "/home/other", "/bin/bash"]
    assert "bob" not in line(root, "staff", "group")[3]


def test_lock_and_open(root: Path) -> None:
    assert put_right(root, "bob", locked=True) == ["safe"]
    assert line(root, "bob", "shadow")[1].startswith("!$")
    assert put_right(root, "bob", locked=False) == ["safe"]
    assert line(root, "bob", "shadow")[1] == "hash32"
    assert put_right(root, "jovyan", locked=False) == ["safe"]
    assert (root / "given").read_text().split() == ["bob", "jovyan"]


@pytest.mark.skipif(not shutil.which("perl"), reason="passwords are compared with perl")
def test_a_default_password_is_replaced_once(root: Path) -> None:
    assert put_right(root, "bob", default_password=False) == ["unsafe"]
    assert (root / "given").read_text().split() == ["bob"]


def test_whether_a_password_is_the_default_must_be_known(root: Path) -> None:
    (action,) = fixes(User(name="bob", default_password=False), root)
    (root / "etc" / "shadow").write_text("root:*:1::::::\n")
    done = sh(action.request, root)

    assert done.returncode == 1
    assert "whether bob has a default password is not known" in done.stderr


def test_removed_and_its_home_is_kept(root: Path) -> None:
    home(root, "bob", 1500)
    assert put_right(root, "bob", ensure="absent") == ["unsafe"]
    assert (root / "home" / "bob").is_dir()
    assert "bob:" not in state(root)[0]
