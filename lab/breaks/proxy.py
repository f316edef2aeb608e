"""Breaks of the proxy before the hub: its process, its own REST API, and its routes past the hub."""

from __future__ import annotations

import shlex
import time

from lab import hub, inside, proxy
from lab.breaks.model import UNREADABLE, Break, Scene, Step
from lab.model import HUB, LabError

NAME = "configurable-http-proxy"
PID, HOLD = "/run/jupyterhub.pid", "/run/hub.hold"
MARK = "# put here by a break"
PAST = "/past-the-hub"
LIMIT = 30.0
_PROXY = f"-f '^node .*/{NAME} '"


def mend(scene: Scene) -> None:
    """Let hub and proxy run with the settings that are declared, and no route past the hub."""
    inside.must(scene.client, HUB, f"rm -f {HOLD}; pkill -CONT {_PROXY}; kill -CONT $(cat {PID}) 2>/dev/null || true")
    if inside.run(scene.client, HUB, f"grep -q {shlex.quote(MARK)} {hub.CONFIG}").code == 0:
        inside.must(scene.client, HUB, f"sed -i {shlex.quote(f'/{MARK}/d')} {hub.CONFIG}")
        _restart(scene)
    hub.wait(scene.lab)
    hub.ensure_token(scene.client, scene.lab)
    proxy.forget(scene.client, PAST)


def past(scene: Scene) -> None:
    """Put a route into the proxy that does not bear the hub's mark."""
    proxy.route(scene.client, PAST, {"target": "http://127.0.0.1:9"})


def everywhere(scene: Scene) -> None:
    """Have the hub start its proxy with an API on all addresses."""
    _set(scene, 'c.ConfigurableHTTPProxy.api_url = "http://0.0.0.0:8001"')


def tokenless(scene: Scene) -> None:
    """Have the hub start its proxy without the token, so that its API is open."""
    _set(scene, 'c.ConfigurableHTTPProxy.command = ["env", "-u", "CONFIGPROXY_AUTH_TOKEN", "configurable-http-proxy"]')


def down(scene: Scene) -> None:
    """End the proxy; the hub's process is held, or it would start another within seconds."""
    inside.must(scene.client, HUB, f"kill -STOP $(cat {PID}); pkill -KILL {_PROXY}; true")


def hang(scene: Scene) -> None:
    """Freeze the proxy's process."""
    inside.must(scene.client, HUB, f"pkill -STOP {_PROXY}")


def _set(scene: Scene, line: str) -> None:
    """Add a line to the hub's settings, and start the hub anew with it."""
    inside.must(
        scene.client,
        HUB,
        f"sed -i {shlex.quote(f'/{MARK}/d')} {hub.CONFIG}; cat >> {hub.CONFIG}",
        stdin=f"{line}  {MARK}\n",
    )
    _restart(scene)
    hub.wait(scene.lab)


def _restart(scene: Scene) -> None:
    inside.must(scene.client, HUB, f"touch {HOLD}; kill -TERM $(cat {PID}) || true")
    until = time.monotonic() + LIMIT
    while inside.run(scene.client, HUB, f"kill -0 $(cat {PID}) || pgrep {_PROXY}").code == 0:
        if time.monotonic() > until:
            raise LabError(f"the hub did not stop within {LIMIT:.0f} s")
        time.sleep(0.1)
    inside.must(scene.client, HUB, f"rm -f {HOLD}")


def _way(name: str, sentence: str, apply: Step, field: str, resource: str = NAME) -> Break:
    return Break(name, sentence, "proxy", resource, apply, mend, field)


TABLE = (
    _way("proxy-route-past-the-hub", "the proxy has a route that the hub knows nothing of", past, "", "*"),
    _way("proxy-api-everywhere", "the proxy's API listens on all addresses", everywhere, "api_address"),
    _way("proxy-api-without-token", "the proxy's API wants no token", tokenless, "api_needs_token"),
    _way("proxy-down", "the proxy does not run, while the hub's process is there", down, "running"),
    Break("proxy-hanging", "the proxy's process hangs", "proxy", "", hang, mend, exit_code=UNREADABLE),
)
