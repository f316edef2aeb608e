"""The script that reads the API tokens out of the hub's own database, inside the container, and writes nothing."""

from __future__ import annotations

import shlex

PYTHONS = "/opt/conda/bin/python3 python3"
"""Who may run it, the first that there is; never what a process names as its own, for the script runs as root."""
PROC = "/proc"

# Only a process of root is believed: whoever could name another would have us read a database of their own. Once it
# has opened a PAM session, the hub's own cwd cannot be read in a container without privileges; its proxy, which it
# started, and its parent have the same. Nothing is written: mode=ro, and no column with a hash or prefix is selected.
_READ = r"""
import ast, json, os, re, sqlite3, sys, time, urllib.parse
proc = sys.argv[1]
instead = "; each user sees their own at /hub/token"

def text(pid, name):
    with open(os.path.join(proc, pid, name), "rb") as file:
        return file.read().decode("utf-8", "replace")

def processes():
    for pid in sorted(filter(str.isdigit, os.listdir(proc)), key=int):
        try:
            status = text(pid, "status")
            # Not the owner of the folder: a process can make root that, with prctl(PR_SET_DUMPABLE).
            owners = re.search(r"^Uid:\s*(\d+)\s+(\d+)", status, re.M)
            if owners and set(owners.groups()) == {str(os.getuid())}:
                parent = re.search(r"^PPid:\s*(\d+)", status, re.M)
                yield pid, parent.group(1) if parent else "", text(pid, "cmdline").split("\0")
        except OSError:
            pass

def option(args, *names):
    for at, arg in enumerate(args):
        for name in names:
            if arg == name:
                return (args + [""])[at + 1]
            if arg.startswith(name + "="):
                return arg[len(name) + 1:]

def written(path):
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
        values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)
                  and any(getattr(target, "attr", "") == "db_url" for target in node.targets)]
        return ast.literal_eval(values[-1]) if values else None
    except FileNotFoundError:
        return None
    except (ValueError, SyntaxError):
        sys.exit("where the hub keeps its database is not written out in " + path + instead)

found = list(processes())
hubs = [one for one in found for at, arg in enumerate(one[2])
        if re.search("(^|/)jupyterhub$", arg) and one[2][at + 1:at + 2] != ["token"]]
if not hubs:
    sys.exit("no jupyterhub process of root runs in the container, so it is not known where its database is")
pid, parent, args = hubs[0]
folders = []
for one in [pid] + [child for child, of, _ in found if of == pid] + [parent]:
    try:
        folders.append(os.readlink(os.path.join(proc, one, "cwd")))
    except OSError:
        pass
config = option(args, "-f", "--config") or "jupyterhub_config.py"
url = option(args, "--db", "--JupyterHub.db_url")
for folder in (folders or ["/"]) if not url else ():
    url = url or written(os.path.join(folder, config))
url = str(url or "jupyterhub.sqlite")
scheme, there, rest = url.partition("://")
if there and scheme.split("+")[0] != "sqlite":
    kind = re.sub("[^a-z0-9+]", "?", scheme)[:20]
    sys.exit("the hub's database is one of " + kind + ", and only a file of sqlite can be read" + instead)
path = rest[1:].split("?")[0] if there else url
files = [file for file in (os.path.join(folder, path) for folder in folders or ["/"]) if os.path.isfile(file)]
if not files:
    sys.exit("the hub's database " + path + " is not there, or the folder that the hub runs in cannot be seen")
try:
    db = sqlite3.connect("file:" + urllib.parse.quote(files[0]) + "?mode=ro", uri=True, timeout=10)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")
    columns = {row[1] for row in db.execute("PRAGMA table_info(api_tokens)")}
    if "expires_at" not in columns:
        print(json.dumps({"unnoted": True}))
        sys.exit()
    scopes = "t.scopes" if "scopes" in columns else "NULL"
    if list(db.execute("PRAGMA table_info(api_token_role_map)")) and "scopes" not in columns:
        scopes = ("(SELECT group_concat(r.scopes, char(10)) FROM api_token_role_map m"
                  " JOIN roles r ON r.id = m.role_id WHERE m.api_token_id = t.id)")
    people = "WHERE coalesce(t.client_id, 'jupyterhub') = 'jupyterhub'" if "client_id" in columns else ""
    db.execute("BEGIN")
    tokens = db.execute(
        "SELECT t.id, u.name, s.name, t.note, t.created, t.last_activity, t.expires_at, " + scopes + " FROM api_tokens t"
        " LEFT JOIN users u ON u.id = t.user_id LEFT JOIN services s ON s.id = t.service_id " + people + " ORDER BY t.id"
    ).fetchall()
    servers = db.execute("SELECT u.name, v.base_url, p.started FROM spawners p JOIN servers v ON v.id = p.server_id"
                         " JOIN users u ON u.id = p.user_id").fetchall()
except sqlite3.Error as error:
    sys.exit("the hub's database could not be read: " + str(error))
print(json.dumps({"now": time.time(), "tokens": tokens, "servers": servers}))
"""


def script() -> str:
    """Return the script for sh. It prints JSON, and fails with a sentence where the database is none of sqlite, or not found.

    The JSON of a hub that keeps neither note nor age of a token is {"unnoted": true}.

    Source of fact: JupyterHub 0.9.6, 1.5.0, 2.3.1, 3.1.1 and 5.4.0, `orm.py` (tables), `app.py` (db_url and its aliases).
    """
    return (
        f'for python in {PYTHONS}; do command -v "$python" >/dev/null && break; done\n'
        f'"$python" -I -S -c {shlex.quote(_READ)} {shlex.quote(PROC)}'
    )
