"""Print requirements that pyproject.toml lists, one a line.

Usage: requirements.py GROUP...  A group is `build` (the build backend), `run`
(what the package needs at run time), or the name of an extra or of a dependency
group. pip can install the extras of a built wheel only, and the wheel is built
with one of them.
"""

import sys
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    from pip._vendor import tomli as tomllib

path = Path(__file__).parent.parent / "pyproject.toml"
table = tomllib.loads(path.read_text(encoding="utf-8"))
groups = {
    "build": table["build-system"]["requires"],
    "run": table["project"]["dependencies"],
    **table["project"]["optional-dependencies"],
    **table["dependency-groups"],
}
for name in sys.argv[1:]:
    print("\n".join(groups[name]))
