"""The token of one hub: the one that is known, or one that is made when it is first needed, and taken back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from pydantic import SecretStr

from hubspec.cluster.hub import HubDoor
from hubspec.cluster.made import Made
from hubspec.cluster.token import Minted, revoke
from hubspec.errors import DoorError


class OwnToken:
    """Gives a token. `known` is the one that is there, None for none; `mint` makes one. `names` are of those that were made."""

    def __init__(self, known: Callable[[], SecretStr | None], mint: Callable[[], Minted], made: Made) -> None:
        """Nothing is made yet."""
        self._known, self._mint, self._made = known, mint, made
        self._minted: Minted | None = None
        self._due: list[Minted] = []
        self.names: set[str] = set()

    def give(self) -> SecretStr:
        """Return the token, the same one every time. Raises DoorError."""
        if self._minted is None:
            if ready := self._known():
                return ready
            with self._made.making():
                self._minted = self._mint()
                self._due.append(self._minted)
            self.names.add(self._minted.name)
        return self._minted.token

    def take_back(self, hub: HubDoor, say: Callable[[str], None]) -> None:
        """Delete what was made, and say where that fails; a second time does nothing."""
        with contextlib.suppress(IndexError):
            one = self._due.pop()
            try:
                revoke(hub, one)
            except DoorError as error:
                say(f"the hub token made for this audit is still there: {error}")
