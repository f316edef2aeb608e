"""Print what pyproject.toml requires, so that an image's packages are made anew only when they change."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
extras = [name for name in sys.argv[2].split(",") if name]
print(
    "\n".join([*project["dependencies"], *(one for name in extras for one in project["optional-dependencies"][name])])
)
