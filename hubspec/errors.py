"""What can go wrong, as a tree. Each error is a sentence: what happened, where, and what to do next.

HubspecError
├── BaselineError   the baseline, or a snapshot file, is not one: a usage error, nothing was looked at
├── SettingsError   the file of settings is not one: a usage error, nothing was looked at
├── UnknownClusterError  AWS says that there is no such cluster: a usage error
├── PlanError       a file holds no plan, or the cluster has moved on since it was made: a usage error
└── DoorError       a door could not be looked through: what it would have shown is unreadable, never absent
    ├── ShutError     it is known where on the way the door is shut, and what to do
    ├── StoppedError  the container does not run, and the engine can start it
    ├── SilentError   nothing was answered in time
    ├── AnsweredError  the hub answered, and not with what was asked for; it may still answer another question
    │   └── BusyError  and it says when to come again
    ├── EndUnknownError  something was begun, and how far it came cannot be read
    └── LockedError somebody else is putting the cluster right
"""


class HubspecError(Exception):
    """Anything that hubspec says in its own words."""


class BaselineError(HubspecError):
    """One or more faults of a baseline. `faults` is one sentence each, beginning with file:line."""

    def __init__(self, faults: list[str]) -> None:
        """Take every fault at once, in the order of the file."""
        super().__init__("\n".join(faults))
        self.faults = faults


class SettingsError(HubspecError):
    """One or more faults of a file of settings, one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        """Take every fault at once, in the order of the file."""
        super().__init__("\n".join(faults))
        self.faults = faults


class UnknownClusterError(HubspecError):
    """There is no cluster of that id in this account and region."""


class DoorError(HubspecError):
    """The engine, the container, the hub or AWS did not let us look."""


class ShutError(DoorError):
    """A door is shut at a known place: `what` is so, `at` names the place, `then` is what to do about it."""

    def __init__(self, what: str, at: str, then: str, said: str = "") -> None:
        """Take them, and the last words of the program that found out."""
        words = f" ({said})" if said else ""
        super().__init__(f"{what}: {then}{words}" if then else f"{what}{words}")
        self.what, self.at, self.then, self.said = what, at, then, said


class StoppedError(DoorError):
    """The engine says that the container is there, and that it has ended or never ran."""


class SilentError(DoorError):
    """Whoever was asked took the question, and did not answer in time."""


class AnsweredError(DoorError):
    """The hub answered, and not with what was asked for. `status` is that of HTTP."""

    def __init__(self, sentence: str, status: int) -> None:
        """Take the sentence for a person, and the status."""
        super().__init__(sentence)
        self.status = status


class BusyError(AnsweredError):
    """The hub has too much to do. `after` is in how many seconds it wants to be asked again."""

    def __init__(self, sentence: str, status: int, after: float) -> None:
        """Take the sentence for a person, the status, and the seconds."""
        super().__init__(sentence, status)
        self.after = after


class PlanError(HubspecError):
    """A file holds no plan that can be carried out."""


class LockedError(DoorError):
    """Somebody else holds the lock of the cluster; the text is what they say of themselves."""


class EndUnknownError(DoorError):
    """Something that changes the cluster was begun, and nobody knows how far it came."""
