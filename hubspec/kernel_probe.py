"""The script that reads the kernelspecs in the container, without Jupyter; of their environments only the names leave it."""

from __future__ import annotations

import shlex

from hubspec.package_actions import PREFIX

# Where jupyter_core looks (`paths.py`, jupyter_path), in its order: of two kernels of a name the first one counts. Names are
# lower-cased as by jupyter_client (`kernelspec.py`). JUPYTER_PATH of the hub does not reach a server (Spawner.env_keep).
_READ = r"""
import glob, json, os, pwd, re, stat, sys
prefix, people, systems = sys.argv[1], sys.argv[2], sys.argv[3:]
LARGEST = 1000000

def content(path, uid):
    # A user may put a pipe there, or a link to a file that only root may read: neither is read.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode) or (uid is not None and about.st_uid != uid and not about.st_mode & 4):
            raise OSError(0, "it is not a file of its user")
        return file.read(LARGEST).decode("utf-8")

def program(word, folder):
    word = word.replace("{resource_dir}", folder)
    if "/" in word:
        return word
    if re.match(r"python[0-9.]*$", word):  # what jupyter_client takes for the server's own
        return os.path.join(prefix, "bin", word)
    for place in [os.path.join(prefix, "bin")] + os.environ.get("PATH", "").split(":"):
        if os.path.isfile(os.path.join(place, word)):
            return os.path.join(place, word)
    return word

def importable(python, module, env):
    home = os.path.dirname(os.path.dirname(python))
    places = glob.glob(home + "/lib*/python*/site-packages") + glob.glob(home + "/lib*/python*/dist-packages")
    unsure = not places or "PYTHONPATH" in env
    try:
        with open(home + "/pyvenv.cfg") as file:
            unsure = unsure or re.search(r"(?im)^include-system-site-packages\s*=\s*true", file.read())
    except OSError:
        pass
    for pth in [one for place in places for one in glob.glob(place + "/*.pth")]:
        unsure = unsure or os.path.basename(pth).startswith("__editable__")
        with open(pth, errors="replace") as file:
            places += [os.path.join(os.path.dirname(pth), line.strip()) for line in file if not line.startswith("import")]
    part = module.replace(".", "/")
    for place in places:
        if [one for end in (".py", "/__init__.py", "/__main__.py", ".*.so") for one in glob.glob(glob.escape(place + "/" + part) + end)]:
            return True
    return None if unsure else False

def about(folder, owner, uid):
    seen = {"name": (owner + "/" if owner else "") + os.path.basename(folder).lower(), "folder": folder}
    try:
        spec = json.loads(content(os.path.join(folder, "kernel.json"), uid))
    except OSError as error:
        return dict(seen, broken="kernel.json could not be read: " + str(error.strerror))
    except (ValueError, RecursionError):
        return dict(seen, broken="kernel.json is not JSON")
    try:
        argv, env = spec["argv"], spec.get("env") or {}
        seen.update(display_name=spec["display_name"], language=spec.get("language") or "", environment=sorted(env))
        seen.update(command=program(argv[0], folder), module=argv[argv.index("-m") + 1] if "-m" in argv else None)
        if not all(isinstance(word, str) for word in argv + [seen["display_name"], seen["language"]]):
            raise TypeError
    except (LookupError, TypeError, AttributeError):
        return dict({key: seen[key] for key in ("name", "folder")}, broken="kernel.json describes no kernel")
    runs, why = True, ""
    if not (os.path.isfile(seen["command"]) and os.access(seen["command"], os.X_OK)):
        runs, why = False, seen["command"] + " is not there, or cannot be executed"
    elif seen["module"] and re.match(r"python[0-9.]*$", os.path.basename(seen["command"])):
        runs = importable(seen["command"], seen["module"], env)
        why = "" if runs else "no module " + seen["module"] + " was found for " + seen["command"]
    return dict(seen, runs=runs, why=why)

places = [(os.path.join(one, "share/jupyter/kernels"), "", None) for one in [prefix] + systems]
homes = {one.pw_dir: (one.pw_name, one.pw_uid) for one in pwd.getpwall() if 1000 <= one.pw_uid < 65534}
for home in glob.glob(people):
    homes.setdefault(home, (os.path.basename(home), os.stat(home).st_uid))
for home, (owner, uid) in sorted(homes.items()):
    places.append((os.path.join(home, ".local/share/jupyter/kernels"), owner, uid))
found = {}
for place, owner, uid in places:
    try:
        names = sorted(os.listdir(place))
    except (FileNotFoundError, NotADirectoryError):
        continue
    for name in names:
        folder = os.path.join(place, name)
        if re.match(r"[A-Za-z0-9._-]+$", name) and os.path.lexists(os.path.join(folder, "kernel.json")):
            seen = about(folder, owner, uid)
            found.setdefault(seen["name"], seen)
print(json.dumps(list(found.values())))
"""

HOMES = "/home/*"
"""Where people's homes are; those of accounts in /etc/passwd are looked into wherever they are."""
SYSTEMS = ("/usr/local", "/usr")
"""Where else than in the hub's own environment kernels of all users are."""


def script() -> str:
    """Return the script for sh. It prints JSON, a list with an object for each kernelspec, and runs none of them."""
    python, where = shlex.quote(f"{PREFIX}/bin/python3"), shlex.join((PREFIX, HOMES, *SYSTEMS))
    return f"exec {python} -I -S -c {shlex.quote(_READ)} {where}"
