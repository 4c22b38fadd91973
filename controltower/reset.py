"""``python -m controltower.reset``: begin anew, by removing what CONTROLTOWER_HOME holds."""

import fcntl
import shutil
import sys

from controltower.env import env


def main() -> int:
    """Remove the home of a tower that does not run; the exit status."""
    home = env.controltower_home
    if not home.exists():
        print(f"{home} holds nothing.")
        return 0
    if not (home / "lease.lock").exists():
        print(f"{home} is not the home of a tower, so it is left as it is. Set CONTROLTOWER_HOME.", file=sys.stderr)
        return 1
    with (home / "lease.lock").open("w") as lease:
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"The tower in {home} runs. Stop it first.", file=sys.stderr)
            return 1
        shutil.rmtree(home)
    print(f"Removed {home}. The next start begins anew.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
