"""A signature with an SSH key over some content: made and judged by ssh-keygen (OpenSSH 8.1 and later), in one namespace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hubspec.errors import HubspecError
from hubspec.program import Done, ProgramError, run

NAMESPACE = "hubspec"
"""What a signature is for: one that was made for anything else, such as a commit of git, is not taken (PROTOCOL.sshsig)."""


class SignatureError(HubspecError):
    """No signature could be made, or none could be judged: the sentence says why, and what to do."""


@dataclass(frozen=True)
class Judged:
    """What a signature is worth: whether it fits the content, by which key, and whose key that is ('': nobody was asked)."""

    fits: bool
    key: str
    signer: str = ""
    why: str = ""


def sign(key: Path, content: bytes) -> bytes:
    """Return the signature over the content, by a private key or by the agent's half of a public one.

    Raises SignatureError: no such key, not for others' eyes, a passphrase that the agent does not have, no ssh-keygen.
    """
    if not key.is_file():
        raise SignatureError(f"there is no file {key}")
    done = _run(["-Y", "sign", "-n", NAMESPACE, "-f", str(key)], content)
    if not done.code and done.stdout.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        return done.stdout
    if "incorrect passphrase" in done.stderr:
        why = f"its passphrase is asked of nobody here, and the agent does not have it: ssh-add {str(key).removesuffix('.pub')}"
    elif "UNPROTECTED PRIVATE KEY" in done.stderr:
        why = f"others may read it, so ssh-keygen does not take it: chmod 600 {key}"
    elif "load public key" in done.stderr:
        why = "is no SSH key"
    else:
        why = _last(done.stderr)
    raise SignatureError(f"{key}: {why}")


def judge(signature: Path, content: bytes, signers: Path | None) -> Judged:
    """Return what a signature over the content is worth, by the file of allowed signers where there is one.

    Raises SignatureError where it cannot be told: no ssh-keygen, or no such file of signers.
    """
    if signers is not None and not signers.is_file():
        raise SignatureError(f"--allowed-signers {signers}: there is no such file")
    about = ["-n", NAMESPACE, "-s", str(signature)]
    fits = _run(["-Y", "check-novalidate", *about], content)
    key = fits.stdout.decode(errors="replace").rpartition(" with ")[2].strip()
    if fits.code:
        return Judged(fits=False, key="", why=_last(fits.stderr))
    if signers is None:
        return Judged(fits=True, key=key)
    found = _run(["-Y", "find-principals", "-s", str(signature), "-f", str(signers)], content)
    why = _last(found.stderr)
    for name in found.stdout.decode(errors="replace").splitlines():
        done = _run(["-Y", "verify", "-f", str(signers), "-I", name, *about], content)
        if not done.code:
            return Judged(fits=True, key=key, signer=name)
        why = _last(done.stderr)
    return Judged(fits=True, key=key, why=why)


def _run(arguments: list[str], content: bytes) -> Done:
    try:
        return run(["ssh-keygen", *arguments], content)
    except ProgramError as error:
        raise SignatureError(f"{error}: a signature needs OpenSSH's client, 8.1 or later") from None


def _last(said: str) -> str:
    """Return the line that says why: the first that is about a key, else ssh-keygen's last."""
    lines = [line for line in said.splitlines() if line.strip()]
    about = [line for line in lines if "expired" in line or "missing key" in line or "not yet valid" in line]
    return (about or lines[-1:] or ["ssh-keygen does not say why"])[0]
