"""Breaks of notebook servers, seen by a smoke test only: the command that starts them, their kernel, a new user's home."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lab import inside
from lab.breaks.model import Break, Scene
from lab.model import HUB

COMMAND = "/opt/conda/bin/jupyterhub-singleuser"
WHOLE = f"{COMMAND}.whole"
KERNEL = "/opt/conda/share/jupyter/kernels/python3/kernel.json"
_MEND = f"""set -e
if [ -e {WHOLE} ]; then mv -f {WHOLE} {COMMAND}; fi
if [ -e {KERNEL}.whole ]; then mv -f {KERNEL}.whole {KERNEL}; fi
sed -i '/^# of the lab$/,+1d' /etc/login.defs
sed -i '/# of the lab$/d' /etc/pam.d/login
rm -rf /etc/skel/.local /etc/skel/.ipython /etc/skel/.jupyter
"""
_ENDS = """#!/bin/sh
echo 'jupyterhub-singleuser: the module notebook is gone' >&2
exit 1
"""
_HANGS = "#!/bin/sh\nexec sleep 3600\n"
# tornado is below every notebook server that JupyterHub 0.8 to 6 starts.
_DIES = f"""#!/opt/conda/bin/python
import os, sys
import tornado.web

execute = tornado.web.RequestHandler._execute


async def dies(self, *args, **kwargs):
    if self.request.path.endswith("/api/status"):
        os._exit(1)
    return await execute(self, *args, **kwargs)


tornado.web.RequestHandler._execute = dies
sys.argv[0] = "{COMMAND}"
exec(compile(open("{WHOLE}").read(), sys.argv[0], "exec"))
"""
_OUTLIVES = f'#!/bin/sh\nsetsid {WHOLE} "$@" &\nexec sleep 3600\n'
_SILENT = '{"argv": ["sleep", "3600"], "display_name": "Python 3", "language": "python"}\n'
# What a server needs to write is there, and may be written; the home around it may not.
_READ_ONLY = """sed -i '/^# of the lab$/,+1d' /etc/login.defs
printf '# of the lab\\nHOME_MODE 0500\\n' >> /etc/login.defs
mkdir -p /etc/skel/.local/share /etc/skel/.ipython /etc/skel/.jupyter
"""


def whole(scene: Scene) -> None:
    """Bring the command, the kernel and the homes of new users to what the image has."""
    inside.must(scene.client, HUB, _MEND)


def instead(path: str, text: str, scene: Scene) -> None:
    """Put another file in the place of one, which is kept beside it."""
    inside.must(scene.client, HUB, f"[ -e {path}.whole ] || cp -p {path} {path}.whole; cat > {path}", stdin=text)


def read_only(scene: Scene) -> None:
    """Have the homes of new users made read-only for them."""
    inside.must(scene.client, HUB, _READ_ONLY)


def _server(name: str, sentence: str, apply: Callable[[Scene], None], part: str, field: str) -> Break:
    return Break(name, sentence, "server", part, apply, whole, field, smoke="server")


def refuse(scene: Scene) -> None:
    """Have PAM refuse every login of the hub, whatever the password."""
    inside.must(
        scene.client,
        HUB,
        "grep -q 'of the lab$' /etc/pam.d/login || sed -i '1i auth requisite pam_deny.so # of the lab' /etc/pam.d/login",
    )


TABLE = (
    _server(
        "server-ends",
        "the command of notebook servers ends at once",
        partial(instead, COMMAND, _ENDS),
        "start",
        "server",
    ),
    _server(
        "server-hangs", "notebook servers start, and never answer", partial(instead, COMMAND, _HANGS), "start", "server"
    ),
    _server(
        "server-dies", "notebook servers die once they are used", partial(instead, COMMAND, _DIES), "api", "answer"
    ),
    _server(
        "server-outlives",
        "notebook servers outlive their stop",
        partial(instead, COMMAND, _OUTLIVES),
        "stop",
        "processes",
    ),
    _server("home-read-only", "the homes of new users are read-only", read_only, "contents", "answer"),
    Break(
        "login-refused", "the hub's login refuses everybody", "server", "login", refuse, whole, "page", smoke="login"
    ),
    _server(
        "kernel-silent",
        "the kernel python3 starts, and never answers",
        partial(instead, KERNEL, _SILENT),
        "kernels",
        "python3",
    ),
)
