"""The script that asks the proxy of the hub over its own REST API, inside the container; its token stays there."""

from __future__ import annotations

import shlex
from urllib.parse import quote

from hubspec.token_probe import PYTHONS

PROC = "/proc"
SECONDS = 3.0
"""How long the proxy may take for one answer: it has its table in memory."""
_SIZE = 32 * 2**20

# Only a process of root is believed: whoever could name another would be given the token, or have us tell a table of
# their own. The token comes out of the environment of that process, goes to a socket of that process, and nowhere else:
# it is no argument, it is not printed, and no redirect is followed. Python 3.5 and later.
_SHARED = r"""
import http.client, json, os, re, socket, struct, sys
proc, seconds = sys.argv[1], float(sys.argv[2])

def read(*names):
    with open(os.path.join(proc, *names), "rb") as file:
        return file.read().decode("utf-8", "replace")

def processes():
    for pid in sorted(filter(str.isdigit, os.listdir(proc)), key=int):
        try:
            owners = re.search(r"^Uid:\s*(\d+)\s+(\d+)", read(pid, "status"), re.M)
            if owners and set(owners.groups()) == {str(os.getuid())}:
                yield pid, read(pid, "cmdline").split("\0")[:-1]
        except OSError:
            pass

def option(args, name):
    for at, arg in enumerate(args):
        if arg == name:
            return (args + [""])[at + 1]
        if arg.startswith(name + "="):
            return arg[len(name) + 1:]

def address(text):
    host, port = text.split(":")
    words = struct.pack("=%dI" % (len(host) // 8), *(int(host[at:at + 8], 16) for at in range(0, len(host), 8)))
    if len(words) == 16 and words[:12] == bytes(10) + b"\xff\xff":
        words = words[12:]
    return socket.inet_ntop(socket.AF_INET if len(words) == 4 else socket.AF_INET6, words), int(port, 16)

def listening(pid):
    "Yield the addresses on which the process itself listens (proc(5), net/tcp)."
    mine = set()
    for name in os.listdir(os.path.join(proc, pid, "fd")):
        try:
            mine.add(os.readlink(os.path.join(proc, pid, "fd", name)))
        except OSError:
            pass
    for table in ("tcp", "tcp6"):
        try:
            lines = read(pid, "net", table).splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if words[3] == "0A" and "socket:[" + words[9] + "]" in mine:
                yield address(words[1])

def ask(where, method, path, token, limit):
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(where[0], where[0])
    link = http.client.HTTPConnection(host, where[1], timeout=seconds)
    try:
        link.request(method, path, headers={"Authorization": "token " + token} if token else {})
        answer = link.getresponse()
        body = answer.read(limit + 1)
        if len(body) > limit:
            sys.exit("the proxy's table is larger than " + str(limit >> 20) + " MB; nothing of it was used")
        return answer.status, body.decode("utf-8", "replace")
    except socket.timeout:
        sys.exit("the proxy runs, and its API does not answer within %g s; is it hanging?" % seconds)
    except (OSError, http.client.HTTPException) as error:
        sys.exit("the proxy runs, and its API does not answer: " + type(error).__name__)
    finally:
        link.close()

def find():
    found = list(processes())
    if not any(re.search("(^|/)jupyterhub$", arg) and args[at + 1:at + 2] != ["token"]
               for _, args in found for at, arg in enumerate(args)):
        sys.exit("no jupyterhub process of root runs in the container, so nothing can be said of its proxy")
    for pid, args in found:
        if len(args) > 1 and re.search("(^|/)configurable-http-proxy$", args[1]):
            return pid, args
    return None, []

def way(pid, args):
    "Return where the API listens, and its token; or end with the reason why it cannot be asked."
    if option(args, "--api-ssl-key"):
        sys.exit("the proxy's API wants a certificate of its own (internal_ssl), so it cannot be asked")
    port = option(args, "--api-port") or str(int(option(args, "--port") or 8000) + 1)
    try:
        all_ = sorted(set(listening(pid)))
        pairs = read(pid, "environ").split("\0")
    except OSError as error:
        sys.exit("the proxy's process cannot be looked into: " + type(error).__name__)
    state = re.search(r"^State:\s*(\S)", read(pid, "status"), re.M)
    if state and state.group(1) in "Tt":
        sys.exit("the proxy's process was stopped by a signal: let it go on with kill -CONT " + pid)
    where = [one for one in all_ if str(one[1]) == port]
    if not where:
        sys.exit("the proxy runs, and listens on no port for its API")
    return where, dict(pair.partition("=")[::2] for pair in pairs).get("CONFIGPROXY_AUTH_TOKEN", "")
"""
_READ = r"""
limit = int(sys.argv[3])
pid, args = find()
if pid is None:
    print(json.dumps({"running": False}))
    sys.exit()
where, token = way(pid, args)
without = ask(where[0], "GET", "/api/routes", "", limit)[0]
wrong = ask(where[0], "GET", "/api/routes", os.urandom(16).hex(), limit)[0]
status, body = ask(where[0], "GET", "/api/routes", token, limit)
if status != 200:
    sys.exit("the proxy's API answers %d to the token of its own environment" % status)
version = None
try:
    script = os.path.realpath(os.path.join(proc, pid, "root", args[1].lstrip("/")))
    with open(os.path.join(os.path.dirname(os.path.dirname(script)), "package.json"), "rb") as file:
        version = json.loads(file.read().decode()).get("version")
except (OSError, ValueError, AttributeError):
    pass
print(json.dumps({"running": True, "listens": where, "without": without, "wrong": wrong, "version": version,
                  "routes": json.loads(body)}))
"""
_DELETE = r"""
pid, args = find()
if pid is None:
    sys.exit("the hub's proxy does not run")
where, token = way(pid, args)
path = "/api/routes" + sys.argv[3]
status, body = ask(where[0], "GET", path, token, 2 ** 20)
if status == 404:
    sys.exit(0)
if status != 200 or json.loads(body).get("jupyterhub"):
    sys.exit("that route has the hub's mark, so it is left to the hub" if status == 200 else "the proxy answered %d" % status)
status = ask(where[0], "DELETE", path, token, 2 ** 20)[0]
if status not in (204, 404):
    sys.exit("the proxy answered %d" % status)
"""


def script() -> str:
    """Return the script for sh. It prints JSON, and fails with a sentence where the proxy cannot be asked.

    Source of fact: configurable-http-proxy 4.6 and 5.3, README and `lib/configproxy.js`; JupyterHub 0.8.1, 1.5.0 and 6.1.1,
    `proxy.py` (the proxy's command line, its environment and the mark of a route).
    """
    return _python(_SHARED + _READ, PROC, str(SECONDS), str(_SIZE))


def delete(path: str) -> str:
    """Return the command that takes one route without the hub's mark out of the proxy; again, it does nothing.

    The proxy decodes what it is asked for, and keeps it so (`lib/configproxy.js`).
    """
    asked = quote(path, safe="/", errors="surrogatepass")
    return f"# DELETE /api/routes{asked} at the proxy's own API, with its own token\n{_python(_SHARED + _DELETE, PROC, str(SECONDS), asked)}"


def _python(program: str, *arguments: str) -> str:
    words = " ".join(shlex.quote(word) for word in arguments)
    return (
        f'for python in {PYTHONS}; do command -v "$python" >/dev/null && break; done\n'
        f'"$python" -I -S -c {shlex.quote(program)} {words}'
    )
