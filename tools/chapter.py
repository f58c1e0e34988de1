"""Run a chapter, store what it shows and check it: `make chapter NAME=jacobian` does so before it builds the site."""

import subprocess
import sys

from tools.notebooks import BOOK, run


def main() -> int:
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    chapters = sorted(path.stem for path in BOOK.glob("*.ipynb"))
    if name not in chapters:
        print(f"There is no chapter {name!r}: NAME is one of {', '.join(chapters)}.", file=sys.stderr)
        return 2
    chapter = BOOK / f"{name}.ipynb"
    run(chapter)
    # nbval runs the chapter once more and compares; of the rules for all chapters, those for this one are chosen.
    options = ["--nbval", "--nbval-current-env", "-k", name]
    check = [sys.executable, "-m", "pytest", *options, str(chapter), "tests/book"]
    return subprocess.run(check, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
