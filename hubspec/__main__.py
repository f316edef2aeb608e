"""`python -m hubspec schema baseline|record`: the JSON schema that docs/schemas/ ships."""

from __future__ import annotations

import argparse
import json

from hubspec.baseline import schema
from hubspec.model import Record


def main() -> None:
    """Print one schema as JSON."""
    parser = argparse.ArgumentParser(prog="python -m hubspec", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    printer = commands.add_parser("schema", help="print a JSON schema")
    printer.add_argument("of", choices=["baseline", "record"])
    asked = parser.parse_args()
    document = schema() if asked.of == "baseline" else Record.model_json_schema()
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
