"""What is said of a container that does not run, whichever door told so."""

from __future__ import annotations

from typing import Any

from hubspec.errors import DoorError, StoppedError

_NEXT = {
    "paused": "resume it: sudo docker unpause {name}",
    "restarting": "it fails and is started again; see why: sudo docker logs --tail 50 {name}",
    "exited": "start it: sudo docker start {name}",
    "created": "it was made and never started: sudo docker start {name}",
    "dead": "the engine could not remove it; see: sudo docker inspect {name}",
    "removing": "the engine is removing it",
}
_STARTABLE = {"exited", "created"}


def must_run(container: str, about: dict[str, Any]) -> None:
    """Raise DoorError, with the next step, where the engine describes a container that does not run.

    It is StoppedError where the engine can start it (Docker Engine API 1.41, State of ContainerInspect).
    """
    state = about["State"]
    status = state["Status"]
    if status == "running":
        return
    since = state.get("FinishedAt", "") if status == "exited" else state.get("StartedAt", "")
    code = f" with status {state['ExitCode']}" if status == "exited" else ""
    advice = _NEXT.get(status, "see: sudo docker inspect {name}").format(name=container)
    message = f"the container {container} is {status}{code} since {since[:19]}Z, so it cannot be looked into; {advice}"
    raise StoppedError(message) if status in _STARTABLE else DoorError(message)


def late(container: str, deadline: float) -> DoorError:
    """Return the error of a script in the container that took too long."""
    return DoorError(
        f"the container {container} did not answer within {deadline:g} s; see: sudo docker top {container}"
    )


def refused(container: str, code: int, said: str) -> DoorError:
    """Return the error of a script that the engine could not start in the container (status 126 and 127)."""
    return DoorError(f"docker exec into {container} was refused (status {code}): {said.strip()[-300:]}")
