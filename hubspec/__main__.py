"""`python -m hubspec`: the schemas, the table of fields and the IAM policies that docs/ ships."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from hubspec.baseline import schema
from hubspec.cluster.calls import NEEDS
from hubspec.iam import policy
from hubspec.kinds import KINDS
from hubspec.model import Record, Resource


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m hubspec", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    printer = commands.add_parser("schema", help="print a JSON schema")
    printer.add_argument("of", choices=["baseline", "record"])
    commands.add_parser("fields", help="print every kind with its fields, as Markdown")
    policies = commands.add_parser("iam", help="print an IAM policy with the least that is needed")
    policies.add_argument("need", choices=NEEDS)
    asked = parser.parse_args()
    if asked.command == "fields":
        print("\n".join(fields()))
    elif asked.command == "iam":
        print(json.dumps(policy(asked.need), indent=2))
    else:
        print(json.dumps(schema() if asked.of == "baseline" else Record.model_json_schema(), indent=2))


def fields() -> Iterator[str]:
    """Yield the lines of a Markdown table for each kind: its section, and the description of each field."""
    for kind in KINDS.values():
        yield f"### {kind.section}\n"
        yield f"{kind.resource.__doc__ or ''}".strip().split("\n")[0] + f" Read by {kind.reads}.\n"
        yield "| field | meaning |\n|---|---|"
        for name, field in kind.resource.model_fields.items():
            if name not in Resource.model_fields:
                yield f"| `{name}` | {field.description} |"
        yield ""


if __name__ == "__main__":
    main()
