"""What `break` and `mend` change behind the API's back, where AWS has no call for it; of the lab's own cluster only."""

from __future__ import annotations

import copy
from typing import Any

from emr.cluster import Cluster
from emr.front import Front
from emr.step import Step

# What may be changed: the name in a request, and moto's attribute of the cluster.
FIELDS = {
    "state": "state",
    "release_label": "release_label",
    "log_uri": "log_uri",
    "applications": "applications",
    "tags": "_tags",
    "termination_protected": "termination_protected",
    "security_configuration": "security_configuration",
    "instance_profile": "role",
}
# The same, and the field of DescribeCluster that is told otherwise than it is.
TOLD = {"configurations": "Configurations", "auto_terminate": "AutoTerminate"}
OTHERS = ("bootstrap_actions", "masters", "log_delay", "ssm_agent")
# What a restore takes back of the steps' story.
STORY = ("age", "lengthen", "steps")


class Control:
    """Changes one cluster and the way to it, and remembers how it was made."""

    def __init__(self, cluster: Cluster, front: Front) -> None:
        """Keep both, and a copy of the fields as they are now."""
        self.cluster, self.front = cluster, front
        self._forgotten: list[Step] = []
        self._made = {name: copy.deepcopy(self._get(name)) for name in (*FIELDS, *OTHERS)}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do one request. Answers {"ok": true} with what was asked for, or {"error": sentence} where it cannot be done."""
        change, restore = request.get("change", {}), request.get("restore", [])
        unknown = sorted({*change, *restore} - {*FIELDS, *TOLD, *OTHERS, *STORY} | {*change} & {*STORY})
        if unknown:
            known = ", ".join((*FIELDS, *TOLD, *OTHERS))
            return {"error": f"cannot change {', '.join(unknown)}; can change {known}"}
        with self.cluster.changed:
            # First, so that one request may forget every run of a name and restore that of the launch.
            self._forget(request.get("forget_steps", []))
            for name, value in change.items():
                self._set(name, value)
            for name in restore:
                self._restore(name)
            for attribute in ("age", "lengthen"):
                if attribute in request:
                    self._retell(attribute, request[attribute])
        self.front.denied = (self.front.denied | {*request.get("deny", [])}) - {*request.get("allow", [])}
        self.front.throttled.update(request.get("throttle", {}))
        return {"ok": True} | ({"calls": self._calls()} if request.get("calls") else {})

    def _get(self, name: str) -> Any:  # noqa: ANN401 - a value of the API
        if name in FIELDS:
            return getattr(self.cluster.moto, FIELDS[name])
        others = {
            "log_delay": self.cluster.pusher.delay,
            "bootstrap_actions": self.cluster.bootstrap,
            "ssm_agent": self.cluster.agent,
        }
        return len(self._masters()) if name == "masters" else others[name]

    def _set(self, name: str, value: Any) -> None:  # noqa: ANN401 - a value of the API
        if name in TOLD:
            self.cluster.told[TOLD[name]] = value
        elif name == "log_delay":
            self.cluster.pusher.delay = float(value)
        elif name == "ssm_agent":
            self.cluster.agent = {"online": "online", "offline": "offline", "none": "none"}[value]
        elif name == "bootstrap_actions":
            self.cluster.bootstrap = value
        elif name == "masters":
            self._have_masters(int(value))
        else:
            if name == "applications" and isinstance(value[0], dict):
                kind = type(self._made[name][0])
                value = [kind(one["name"], one["version"], [], {}) for one in value]
            setattr(self.cluster.moto, FIELDS[name], value)

    def _restore(self, name: str) -> None:
        if name in TOLD:
            self.cluster.told.pop(TOLD[name], None)
        elif name in ("age", "lengthen"):
            for step in self.cluster.steps:
                setattr(step, "shift" if name == "age" else "stretch", 0.0)
            self._order()
        elif name == "steps":
            self.cluster.steps += self._forgotten
            self.cluster.by_id |= {step.id: step for step in self._forgotten}
            self._forgotten = []
            self._order()
        elif name == "state":
            self._set(name, self.cluster.state)
        else:
            self._set(name, copy.deepcopy(self._made[name]))

    def _retell(self, attribute: str, wanted: dict[str, Any]) -> None:
        named = [step for step in self.cluster.steps if step.name == wanted["step"]]
        if not named:
            raise ValueError(f"there is no step named {wanted['step']}")
        setattr(named[-1], "shift" if attribute == "age" else "stretch", float(wanted["by"]))
        self._order()

    def _forget(self, names: str | list[str]) -> None:
        gone = {names} if isinstance(names, str) else set(names)
        lost = [step for step in self.cluster.steps if step.name in gone and step.over]
        self._forgotten += [step for step in lost if step.at_launch]
        self.cluster.steps = [step for step in self.cluster.steps if step not in lost]
        for step in lost:
            del self.cluster.by_id[step.id]

    def _order(self) -> None:
        self.cluster.steps.sort(key=lambda step: (step.told_created, step.number))

    def _masters(self) -> list[Any]:
        return [one for one in self.cluster.moto.ec2_instances if one.instance_group.role == "MASTER"]

    def _have_masters(self, count: int) -> None:
        moto, masters = self.cluster.moto, self._masters()
        group = masters[0].instance_group
        more = {"instance_count": count - len(masters), "instance_type": group.instance_type}
        if count > len(masters):
            moto.emr_backend.run_instances(moto.id, more, group)
        for extra in masters[count:]:
            moto.emr_backend.ec2_backend.terminate_instances([extra.ec2_instance_id])
            moto.ec2_instances.remove(extra)
        group.num_instances = count

    def _calls(self) -> list[str]:
        seen = [self.front.seen.popleft() for _ in range(len(self.front.seen))]
        return list(seen)
