"""The command `verify`: is a report as its run left it? Each thing that is not, in a sentence; and what cannot be told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hubspec import chain, manifest
from hubspec.altered import changes
from hubspec.errors import HubspecError
from hubspec.manifest import CHAIN, MANIFEST, RECORDS, SIGNATURE, File
from hubspec.signature import SignatureError, judge
from hubspec.verified import Fault, Report


def verify(folder: Path, head: str | None, signers: Path | None) -> Report:
    """Return what is to be said of the report in a folder.

    `head`: the last hash of the chain, as somebody noted it when the run ended. `signers`: ssh-keygen's file of allowed
    signers, one of whom must have signed. Raises HubspecError where there is no such folder.
    """
    if not folder.is_dir():
        raise HubspecError(f"{folder}: there is no such folder; a run leaves its report in reports/latest")
    report = Report(folder)
    left = _Left()
    _vouched(report, left)
    _look(report, left)
    vouched = left.whole.get(MANIFEST)
    report.faults += list(_chain(report, left, head))
    report.faults += list(_files(report, left))
    for part in report.manifest.parts if report.manifest else ():
        _part(report, part, left.files)
    _signature(report, vouched, signers)
    return report


def _vouched(report: Report, left: _Left) -> None:
    path = report.folder / MANIFEST
    if path.is_symlink():
        report.faults.append(_link(MANIFEST))
    try:
        left.whole[MANIFEST] = path.read_bytes()
        report.manifest = manifest.read(left.whole[MANIFEST])
    except FileNotFoundError:
        report.faults.append(Fault(MANIFEST, f"{MANIFEST} is missing: nothing says what the run left here"))
    except OSError as error:
        report.untold.append(f"{MANIFEST} cannot be read: {error.strerror}")
    except ValueError as error:
        report.faults.append(Fault(MANIFEST, f"{MANIFEST} {error}"))


def _part(report: Report, part: str, files: Mapping[str, File | None]) -> None:
    """Add what is to be said of a part whose manifest is there; where that is altered or gone, it has been said."""
    own = f"{part}/{MANIFEST}"
    if not files.get(own):
        return
    found = verify(report.folder / part, None, None)
    said = {fault.file for fault in report.faults}
    named = (replace(one, file=f"{part}/{one.file}", sentence=f"{part}/{one.sentence}") for one in found.faults)
    report.faults += [fault for fault in named if fault.file not in said or fault.file != own]
    report.untold += [f"{part}/{sentence}" for sentence in found.untold]
    report.below += found.below + (len(found.manifest.files) if found.manifest else 0)


@dataclass
class _Left:
    """What there is in the folder: name -> what every file is now (None where it cannot be read), each line of the records, and what is read here whole."""

    files: dict[str, File | None] = field(default_factory=dict)
    whole: dict[str, bytes] = field(default_factory=dict)
    lines: list[str] | None = None


def _look(report: Report, left: _Left) -> None:
    parts = report.manifest.parts if report.manifest else ()
    for name, path in manifest.files(report.folder, parts).items():
        if path.is_symlink():
            report.faults.append(_link(name))
        try:
            left.files[name] = _measured(path, name, left)
        except FileNotFoundError:
            continue
        except OSError as error:
            report.untold.append(f"{name} cannot be read: {error.strerror}")
            left.files[name] = None


def _link(name: str) -> Fault:
    return Fault(name, f"{name} is a link to elsewhere, and no file that a run wrote")


def _measured(path: Path, name: str, left: _Left) -> File:
    if name == CHAIN:
        content = left.whole[name] = path.read_bytes()
        return File(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    if name != RECORDS:
        return manifest.measured(path)
    # Hundreds of thousands of records are never in memory together.
    all_, size, lines = hashlib.sha256(), 0, []
    with path.open("rb") as file:
        for line in file:
            all_.update(line)
            size += len(line)
            lines.append(hashlib.sha256(line.removesuffix(b"\n")).hexdigest())
    left.lines = lines
    return File(sha256=all_.hexdigest(), bytes=size)


def _files(report: Report, left: _Left) -> Iterator[Fault]:
    known = report.manifest.files if report.manifest else {}
    told = {fault.file for fault in report.faults}
    for name, file in known.items():
        if name not in left.files:
            yield Fault(name, f"{name} is missing")
            continue
        there = left.files[name]
        if there and there.sha256 != file.sha256 and (name != RECORDS or name not in told):
            yield Fault(name, f"{name} was changed: its SHA-256 is not the one in {MANIFEST}")
        elif there and there.sha256 == file.sha256 and there.bytes != file.bytes:
            yield Fault(MANIFEST, f"{MANIFEST}: the size that it has for {name} is not its own")
    for name in left.files:
        if report.manifest and name not in known:
            yield Fault(name, f"{name} was added: the run wrote no such file")


def _chain(report: Report, left: _Left, head: str | None) -> Iterator[Fault]:
    if CHAIN not in left.whole:
        return
    try:
        links = chain.read(left.whole.pop(CHAIN).decode())
    except ValueError as error:
        yield Fault(CHAIN, f"{CHAIN}: {error}")
        return
    yield from (Fault(CHAIN, f"{CHAIN}: {sentence}") for sentence in chain.broken(links))
    if left.lines is not None or (report.manifest and RECORDS not in report.manifest.files):
        lines = left.lines or []
        report.records = len(lines)
        for change in changes(links, lines):
            yield Fault(RECORDS, f"{RECORDS}: {change.sentence}", change.line, change.record, change.test)
    last = links[-1].chain if links else ""
    if head and head.lower() != last:
        yield Fault(
            CHAIN, f"{CHAIN}: the chain ends with {last}, and not with the head that was given: it is another one"
        )
    if not report.manifest:
        return
    if report.manifest.head != last:
        yield Fault(MANIFEST, f"{MANIFEST}: its head is not the one with which {CHAIN} ends")
    for sort, content in ((chain.INPUTS, report.manifest.inputs), (chain.END, report.manifest.end)):
        digest = hashlib.sha256(chain.canonical(content)).hexdigest()
        if digest not in {link.sha256 for link in links if link.link == sort}:
            yield Fault(MANIFEST, f"{MANIFEST}: its {sort!r} is not what the chain was made with")


def _signature(report: Report, vouched: bytes | None, signers: Path | None) -> None:
    path = report.folder / SIGNATURE
    if not path.is_file() or vouched is None:
        report.signature = (
            "not signed: who can write to this folder can have made all of it anew, with a chain that fits"
        )
        if signers:
            report.faults.append(Fault(SIGNATURE, f"{SIGNATURE} is missing: the report is not signed"))
        return
    try:
        judged = judge(path, vouched, signers)
    except SignatureError as error:
        report.signature = f"the signature was not judged: {error}"
        report.untold += [report.signature] if signers else []
        return
    if not judged.fits:
        report.faults.append(
            Fault(SIGNATURE, f"{SIGNATURE} does not fit {MANIFEST}: one of them was changed ({judged.why})")
        )
    elif signers and not judged.signer:
        report.faults.append(
            Fault(SIGNATURE, f"{SIGNATURE} is by the {judged.key}, of no allowed signer ({judged.why})")
        )
    elif signers:
        report.signature = f"signed by {judged.signer} with the {judged.key}"
    else:
        report.signature = f"signed with the {judged.key}; whose key that is was not asked: --allowed-signers FILE"
