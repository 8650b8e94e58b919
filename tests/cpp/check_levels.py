"""Objects compiled for a newer processor must not offer shared inline code to the rest of the library.

Usage: check_levels.py NM LEVEL=OBJECT[,OBJECT...]...

The linker keeps one of all copies of an inline function. If that copy came from an object of level v4, a
processor without AVX-512 would meet an illegal instruction far away from any kernel. So every symbol that an
object of a level defines must carry the level in its name: a namespace, or a template argument of that namespace.
"""

import re
import subprocess
import sys


def leaks(nm: str, level: str, path: str) -> list[str]:
    lines = subprocess.run([nm, "-C", "--defined-only", path], capture_output=True, text=True, check=True)
    symbols = [line.split(maxsplit=2)[1:] for line in lines.stdout.splitlines() if line.strip()]
    return [name for kind, name in symbols if kind in "TWVBDRu" and not re.search(rf"\b{level}\b", name)]


def main() -> int:
    nm, *groups = sys.argv[1:]
    found = [
        f"{level}: {path}: {name}"
        for level, paths in (group.split("=", 1) for group in groups)
        for path in paths.split(",")
        for name in leaks(nm, level, path)
    ]
    print("\n".join(found))
    print(f"{len(groups)} levels checked, {len(found)} leaks")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
