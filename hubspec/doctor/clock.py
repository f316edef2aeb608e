"""Verdicts on clocks that are apart. Pure."""

from __future__ import annotations

from hubspec.doctor.model import Finding, mind, works

NEAR = 60.0
"""Seconds apart from which on ages that are told in minutes are not what they are."""
SET = "sudo timedatectl set-ntp true"


def verdict(row: str, seconds: float | None, whose: str) -> Finding:
    """Return what is said of a clock that is so many seconds before ours, None where it told no time."""
    if seconds is None:
        return mind(row, f"{whose} tells no time")
    if abs(seconds) < NEAR:
        return works(row, f"within {max(round(abs(seconds)), 1)} s of this machine's", needed=False)
    which = "before" if seconds > 0 else "behind"
    told = f"the clock of {whose} is {round(abs(seconds))} s {which} this machine's: ages and ends of tokens, steps and certificates are judged by both"
    return mind(row, told, f"{SET}, on the one that is wrong")
