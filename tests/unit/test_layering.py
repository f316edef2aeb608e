"""Imports run downwards only: who may import whom, read from the files themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    # a room of hubspec      the rooms of hubspec that it may import; those above the line know nothing of those below
    "__init__":     "",
    "duration":     "",
    "masked":       "",
    "model":        "duration",
    "certificate":  "duration",
    "errors":       "",
    "hub_path":     "",
    "interrupts":   "",
    "hub_servers":  "",
    "kind":         "model",
    "compare":      "model masked",
    "door":         "model errors",
    "network":      "",
    "launched":     "masked",
    "cluster_actions": "model duration",
    "shell":        "model",
    "user_actions": "model shell",
    "pins":         "",
    "package_actions": "model pins shell",
    "file_actions": "model shell",
    "kinds.cluster": "model duration kind network launched cluster_actions",
    "kinds.user":   "model kind user_actions",
    "kinds.package": "model kind package_actions pins",
    "kinds.file":   "model kind file_actions",
    "kinds.hub":    "model kind certificate",
    "token_probe":  "",
    "proxy_probe":  "token_probe",
    "kinds.proxy":  "model kind proxy_probe",
    "kinds.hub_token": "model duration kind hub_path token_probe",
    "step_actions": "model masked",
    "kinds.step":   "model duration masked kind step_actions",
    "settings":     "masked",
    "literal":      "",
    "settings_python": "literal settings",
    "kinds.config": "model kind settings settings_python",
    "kernel_probe": "package_actions",
    "kernel_actions": "model shell package_actions kernel_probe",
    "kinds.kernel": "model kind kernel_probe kernel_actions",
    "kinds.route":  "model hub_path hub_servers kind",
    "kinds.server": "model duration hub_path hub_servers kind",
    "kinds.*":      "model duration masked kind hub_path",  # a kind knows no other
    "kinds":        "kind kinds.*",
    "layers":       "errors",
    "faults":       "layers",
    "sources":      "layers",
    "requirements": "model errors layers faults",
    "framework":    "model",
    "waiver_time":  "model",
    "waiver_file":  "model errors layers faults waiver_time",
    "consistency":  "kind kinds layers faults waiver_file",
    "baseline":     "model errors kind kinds kinds.* layers faults sources requirements consistency waiver_file",
    "snapshot":     "model errors kind kinds",
    "printable":    "",
    "scopes":       "kinds baseline",
    "check":        "model kind kinds layers baseline",
    "probe_name":   "",
    "probe_account": "errors masked door probe_name",
    "probe":        "model errors door probe_name probe_account",
    "part":         "model errors masked door check snapshot verdict",
    "cell":         "",
    "server_start": "model errors door part probe",
    "server_use":   "model errors hub_path door cell part",
    "login_smoke":  "model errors door part probe",
    "server_smoke": "model errors door part probe probe_account server_start server_use",
    "waiver":       "model baseline check waiver_time",
    "waiver_standing": "model masked kinds baseline check waiver waiver_time",
    "verdict":      "model compare kinds baseline snapshot check waiver probe_name",
    "own":          "model kind faults layers baseline check",
    "own_verdict":  "model masked door baseline snapshot check verdict",
    "started":      "model kinds snapshot",
    "stopped":      "model kinds baseline snapshot check verdict",
    "auth":         "model errors door hub_path probe",
    "smoke":        "model errors door snapshot check verdict",
    "plan":         "model errors kinds baseline record verdict",
    "apply":        "model errors masked door plan",
    "remedied":     "model verdict",
    "restart":      "model kinds baseline snapshot check verdict",
    "collect":      "masked model errors kind kinds door baseline snapshot cluster.beside",
    "record":       "masked model printable verdict",
    "history":      "model",
    "change":       "model history",
    "gate":         "model",
    "remembered":   "errors history cluster.keep",
    "results":      "errors manifest cluster.keep",
    "destination":  "errors masked results cluster.keep cluster.options",
    "upload_command": "errors arguments provenance destination results cluster.keep cluster.options",
    "history_text": "errors model printable history remembered",
    "tally":        "model",
    "notice":       "model tally",
    "message":      "model printable notice results tally report.*",
    "metrics":      "model printable notice tally",
    "telling":      "__init__ errors interrupts masked model message metrics notice results tally cluster.keep cluster.notify cluster.options",
    "report":       "",
    "report.*":     "model tally faults framework printable record waiver_time report.*",  # a report is made from records
    "cluster":      "cluster.quiet",
    "cluster.*":    "model errors masked door hub_path token_probe cluster.*",  # a door knows no kinds
    "iam":          "cluster.calls",
    "guide":        "compare model errors kind kinds masked baseline check record",
    "fleet":        "",
    "fleet.shard":  "",
    "fleet.lent":   "errors history remembered cluster.keep cluster.parcel",
    "fleet.job":    "__init__ masked printable kinds snapshot cluster.options cluster.parcel cluster.warm fleet fleet.lent",
    "fleet.queue":  "fleet.job",
    "fleet.progress": "",
    "fleet.course": "errors cluster.engine cluster.parcel fleet.*",
    "fleet.grammar": "configured cluster.find cluster.options fleet.queue",
    "fleet.sent":   "errors masked destination results cluster cluster.folder",
    "fleet.meant":  "errors masked printable destination baseline arguments configured provenance report report.formats saved snapshot cluster.* fleet.*",
    "fleet.command": "errors interrupts results masked printable destination report report.formats telling cluster.engine cluster.parcel fleet.*",
    "fleet.part":   "errors manifest model report.formats",
    "fleet.look":   "model gate fleet.joined fleet.part",
    "fleet.joined": "masked model waiver_standing",
    "fleet.gathered": "model fleet.look fleet.part",
    "fleet.one_run": "__init__ manifest masked model fleet fleet.*",
    "fleet.whole":  "__init__ chain manifest model vouched report report.* cluster cluster.folder fleet.*",
    "fleet.ended":  "printable report.formats fleet.merge",
    "fleet.fetched": "errors manifest report.formats results cluster cluster.keep fleet.part",
    "fleet.merge_command": "arguments interrupts provenance destination errors masked printable telling report.formats cluster cluster.folder cluster.options fleet.*",
    "fleet.merge":  "errors manifest model printable vouched report.formats report.overview cluster cluster.folder fleet.*",
    "chain":        "",
    "altered":      "chain",
    "program":      "errors",
    "commit":       "program",
    "signature":    "errors program",
    "manifest":     "model chain",
    "vouched":      "manifest signature",
    "verified":     "printable manifest",
    "verify":       "errors chain altered manifest signature verified",
    "unknown":      "faults masked printable cluster.options",
    "configured":   "errors faults masked printable unknown cluster.options",
    "arguments":    "errors masked configured cluster.options",
    "saved":        "model kinds kinds.cluster printable configured snapshot cluster.find cluster.options",
    "provenance":   "configured cluster.options",
    "written":      "printable",
    "durable":      "model compare kinds masked record",
    "thing":        "model compare kinds durable",
    "survey":       "probe_name model kind kinds kinds.file door baseline snapshot collect",
    "draft":        "model kind kinds printable baseline snapshot durable survey thing written",
    "adopt":        "model errors masked kinds printable baseline snapshot check verdict draft written",
    "init":         "errors printable provenance baseline snapshot survey adopt arguments cluster.clients cluster.opened cluster.find cluster.register cluster.site",
    "difference":   "model kind kinds baseline snapshot check verdict record",
    "diff":         "errors kinds printable baseline snapshot record difference",
    "launch":       "model printable cluster.hub_shell",
    "script":       "model errors kinds kinds.file baseline plan launch",
    "doctor":       "",
    "doctor.model": "errors",
    "doctor.examine": "errors doctor.model",
    "doctor.table": "printable doctor.model",
    "doctor.clock": "doctor.model",
    "doctor.tls":   "model certificate doctor.model",
    "doctor.machine": "errors doctor.model cluster.preflight cluster.proxies",
    "doctor.aws":   "model errors kinds kinds.cluster baseline doctor.* cluster.aws cluster.calls cluster.logs cluster.session",
    "doctor.by_aws": "errors doctor.model cluster.aws cluster.by_aws cluster.steps",
    "doctor.inside": "model door kinds package_actions doctor.* cluster.ssh_door",
    "doctor.way":   "errors doctor.* cluster.preflight cluster.choice cluster.docker cluster.sealed_door cluster.ssh_door",
    "doctor.hub":   "errors scopes baseline doctor.* cluster.hub",
    "doctor.command": "errors printable provenance door baseline arguments doctor.* cluster.*",
    "__main__":     "fleet fleet.grammar fleet.command fleet.merge_command unknown configured guide report.guide verified verify history_command upload_command doctor.command model errors kinds baseline requirements iam init diff script cluster.calls cluster.options",
    "history_command": "errors history_text provenance remembered results arguments cluster.keep cluster.options",
}  # fmt: skip
ROOMS = {
    # folder -> the folders of this repository that it may import
    "hubspec": "hubspec",
    "lab": "lab",
    "checks": "hubspec",
    "fixtures": "hubspec fixtures",
    "benchmarks": "hubspec lab tests benchmarks",
}
ALSO = {"fixtures/doors.py": "lab"}  # and only when the lab is asked for
A_KIND_NEEDS = {
    "__future__", "base64", "collections.abc", "typing", "json", "shlex", "urllib.parse", "re", "fnmatch", "datetime", "dataclasses",
    "pydantic", "packaging", "rattler", "hubspec",
}  # fmt: skip
DOES_IO = {"os", "io", "subprocess", "socket", "shutil", "tempfile", "threading", "urllib.request", "http", "requests", "docker", "boto3", "botocore", "urllib3"}  # fmt: skip
MAY_DO_IO = ("cluster.*", "program")
CALLS_DO_IO = {
    "open",
    "exec",
    "eval",
    "__import__",
    "input",
    "print",
    "read_text",
    "write_text",
    "read_bytes",
    "write_bytes",
}
OWN = {"hubspec", "lab", "checks", "fixtures", "tests", "benchmarks", "conftest"}


def imports(tree: ast.AST, *, lazy: bool = True, types: bool = False) -> Iterator[str]:
    """Yield the modules imported; `lazy`: inside functions too; `types`: for the type checker only, too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not types:
            continue
        elif lazy or not isinstance(node, ast.FunctionDef):
            yield from imports(node, lazy=lazy, types=types)


def files(room: str) -> dict[str, ast.Module]:
    paths = [path for path in (ROOT / room).rglob("*.py") if "images" not in path.parts and "local" not in path.parts]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(paths)}


HUBSPEC = {
    path.removeprefix("hubspec/").removesuffix(".py").removesuffix("/__init__").replace("/", "."): tree
    for path, tree in files("hubspec").items()
}


def row(module: str) -> str:
    rows = [name for name in MAY_IMPORT if fnmatchcase(module, name)]
    assert rows, f"hubspec.{module} has no row in MAY_IMPORT; give it one"
    return rows[0]


@pytest.mark.parametrize("module", HUBSPEC)
def test_a_room_of_hubspec_imports_only_what_is_below_it(module: str) -> None:
    allowed = MAY_IMPORT[row(module)].split()
    wrong = []
    for name in imports(HUBSPEC[module]):
        if not name.startswith("hubspec."):
            continue
        inner = name.removeprefix("hubspec.")
        target = inner if inner in HUBSPEC else inner.rpartition(".")[0] or "__init__"
        if not any(fnmatchcase(target, one) for one in allowed):
            wrong.append(f"{module} imports {target}")
    assert wrong == []


def test_every_row_of_the_table_is_about_something() -> None:
    assert [name for name in MAY_IMPORT if not any(row(module) == name for module in HUBSPEC)] == []


@pytest.mark.parametrize(
    "module", [module for module in HUBSPEC if not any(fnmatchcase(module, one) for one in MAY_DO_IO)]
)
def test_only_the_doors_do_network_and_processes(module: str) -> None:
    found = {name.split(".")[0] for name in imports(HUBSPEC[module], types=True)}
    assert found & DOES_IO == set()


@pytest.mark.parametrize("module", [module for module in HUBSPEC if module.startswith("kinds.")])
def test_a_kind_does_no_input_or_output(module: str) -> None:
    tree = HUBSPEC[module]
    known = [
        name for name in imports(tree, types=True) if not any(f"{name}.".startswith(f"{ok}.") for ok in A_KIND_NEEDS)
    ]
    assert known == []
    called = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
    assert called & CALLS_DO_IO == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_folder_imports_only_the_folders_it_may(room: str) -> None:
    wrong = []
    for path, tree in files(room).items():
        allowed = {*ROOMS[room].split(), *ALSO.get(path, "").split()}
        tops = {name.split(".")[0] for name in imports(tree, types=path in ALSO)}
        wrong += [f"{path} imports {top}" for top in tops & OWN - allowed]
        wrong += [
            f"{path} imports pytest" for top in tops & {"pytest", "_pytest", "allure"} if room in {"hubspec", "lab"}
        ]
    assert wrong == []


@pytest.mark.parametrize("path", ALSO)
def test_the_lab_is_imported_when_it_is_asked_for(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert "lab" in {name.split(".")[0] for name in imports(tree)}
    assert "lab" not in {name.split(".")[0] for name in imports(tree, lazy=False)}


def test_checks_know_verdicts_and_nothing_else() -> None:
    known = {name for path, tree in files("checks").items() for name in imports(tree) if path.count("/") == 1}
    assert {name for name in known if name.startswith("hubspec")} == {"hubspec.verdict.Verdict"}


def test_the_reader_of_imports_sees_every_form() -> None:
    text = """
import a.b
from c import d as e
if TYPE_CHECKING:
    import typed
def f():
    import lazy
    class C:
        from deep import inside
"""
    tree = ast.parse(text)
    assert list(imports(tree)) == ["a.b", "c.d", "lazy", "deep.inside"]
    assert list(imports(tree, types=True)) == ["a.b", "c.d", "typed", "lazy", "deep.inside"]
    assert list(imports(tree, lazy=False)) == ["a.b", "c.d"]
