"""The hub's REST API from inside its container, as shell text: where a step is the only way in, its requests go along.

A token is made with `jupyterhub token`, lies in a file that only root can read, and is deleted when the work is done.
"""

from __future__ import annotations

import shlex

from hubspec.door import Bundle

# Run by the hub's own interpreter, whose standard library is all that it needs (Python 3.5 and later).
_CLIENT = r"""
import datetime, json, os, ssl, sys, urllib.error, urllib.parse, urllib.request

base, folder, note = os.environ["HUBSPEC_BASE"], os.environ["HUBSPEC_FOLDER"], "command-line generated"


def ask(method, path, body=None):
    context = ssl.create_default_context(cafile="/etc/jupyter/conf/server.crt")
    context.check_hostname = False  # the certificate itself is pinned, and it is this machine's
    with open(os.path.join(folder, "token")) as file:
        headers = {"Authorization": "token " + file.read().split()[-1], "Content-Type": "application/json"}
    request = urllib.request.Request(base + path, body and body.encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        return answer.read().decode()


# The hub's own list of tokens may leave out what another process made (0.9 to 5.4), but it knows each by its id. Ids grow,
# so that of a token made now, to be gone in a minute, is where to begin.
def revoke(user):
    with open(os.path.join(folder, "times")) as file:
        first, last = [float(line) for line in file.read().split()]
    path = "/hub/api/users/" + urllib.parse.quote(user, safe="") + "/tokens"
    newest = json.loads(ask("POST", path, '{"note": "hubspec: to find its own", "expires_in": 60}'))["id"]
    mine = []
    for number in range(int(newest[1:]) - 1, max(int(newest[1:]) - 100, 0), -1):
        try:
            token = json.loads(ask("GET", path + "/a" + str(number)))
        except urllib.error.HTTPError:  # another user's, or gone
            continue
        day, _, rest = token["created"].rstrip("Z").partition(".")
        made = datetime.datetime.strptime(day, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc).timestamp()
        made += float("0." + (rest or "0"))
        if made < first - 1:
            break
        if (token.get("note") or "").startswith(note) and made <= last:
            mine.append(token["id"])
    for token in [newest] + (mine if len(mine) == 1 else []):  # the one that all this is asked with goes last
        ask("DELETE", path + "/" + token)
    if len(mine) != 1:
        raise ValueError("the token could not be told from " + str(len(mine)) + " made in that second: see /hub/token")


try:
    said = revoke(sys.argv[2]) if sys.argv[1] == "revoke" else ask(*sys.argv[1:])
    if sys.argv[1] == "GET":
        print(said)
except urllib.error.HTTPError as error:
    if (sys.argv[1], error.code) in {("POST", 409), ("DELETE", 404)}:
        sys.exit(0)  # it was so already
    print(" ".join(sys.argv[1:3]), "answered", error.code, error.read()[:300].decode("utf-8", "replace"))
    sys.exit(1)
except (OSError, ValueError) as error:
    print(" ".join(sys.argv[1:3]), "got no answer:", error)
    sys.exit(1)
"""
_BEFORE = r"""export HUBSPEC_BASE={base} HUBSPEC_FOLDER=/run/hubspec-hub.$$
umask 077
mkdir "$HUBSPEC_FOLDER"
cat > "$HUBSPEC_FOLDER/client.py" <<'end-of-client'
{client}end-of-client
for pid in $(cd /proc && printf '%s\n' [0-9]* | sort -n); do
  grep -qs '^Uid:[[:space:]]*0[[:space:]]*0[[:space:]]' "/proc/$pid/status" || continue
  args=$(tr '\0' '\n' < "/proc/$pid/cmdline" 2>/dev/null) || continue
  hub=$(printf '%s\n' "$args" | grep -m1 -E '(^|/)jupyterhub$') || continue
  config=$(printf '%s\n' "$args" | sed -n -e '/^\(-f\|--config\)$/{{n;p;q}}' -e 's/^--config=//p')
  # A token that never ends, and that nobody can revoke, is not made.
  case $("$hub" --version 2>/dev/null </dev/null) in 0.[0-8].*) break;; esac
  HUBSPEC_PYTHON=$(readlink "/proc/$pid/exe" || printf '%s\n' "$args" | sed 1q); export HUBSPEC_PYTHON
  date +%s.%N > "$HUBSPEC_FOLDER/times"
  (for one in "$pid" $(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status"); do cd "/proc/$one/cwd" 2>/dev/null && break; done &&
    "$hub" token ${{config:+-f "$config"}} {user} </dev/null 2>/dev/null > "$HUBSPEC_FOLDER/token")
  date +%s.%N >> "$HUBSPEC_FOLDER/times"
  break
done
"""
_AFTER = r"""if [ -s "$HUBSPEC_FOLDER/token" ]; then "$HUBSPEC_PYTHON" "$HUBSPEC_FOLDER/client.py" revoke {user} </dev/null; fi
rm -rf "$HUBSPEC_FOLDER"
"""
_ASK = r"""if [ ! -s "$HUBSPEC_FOLDER/token" ]; then echo 'no token could be made for {user}: is the hub running, and JupyterHub 0.9 or later, which can revoke it?'; exit 1; fi
"$HUBSPEC_PYTHON" "$HUBSPEC_FOLDER/client.py" {request}"""


def bundle(admin: str, base: str = "https://127.0.0.1:9443") -> Bundle:
    """Return how requests to the hub are made in a shell in its container, as `admin`, at the hub's own address there."""
    user = shlex.quote(admin)

    def request(method: str, path: str, body: str | None) -> str:
        words = " ".join(shlex.quote(word) for word in (method, path, body) if word is not None)
        return _ASK.format(user=admin.replace("'", ""), request=words)

    return Bundle(
        _BEFORE.format(base=shlex.quote(base), client=_CLIENT.lstrip(), user=user), _AFTER.format(user=user), request
    )
