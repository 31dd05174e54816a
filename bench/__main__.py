"""All benchmarks, one after the other: `make bench`. Each prints its own table; keep the machine quiet meanwhile."""

import subprocess
import sys
from typing import Final

PARTS: Final = ("bench.policy", "bench.bcp", "bench.bcp_effect", "bench.relay")


def main() -> int:
    """Run them; the first that fails ends it."""
    for part in PARTS:
        print(f"\n## {part}\n", flush=True)
        status = subprocess.run([sys.executable, "-m", part, *sys.argv[1:]], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
