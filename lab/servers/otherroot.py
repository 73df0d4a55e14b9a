"""Running RabbitMQ's programs inside another system's root folder, say a newer Debian's (see :mod:`lab.servers.trixie`)."""

from __future__ import annotations

import os
import tempfile

#: Names the root folder whose RabbitMQ is to be started instead of this system's.
VARIABLE = "ORDERFLOW_RABBITMQ_ROOT"

#: The mounts are this process's own (``unshare``): nobody else sees them, and they are gone when it is, however it ends.
#: Every step is an ``exec``, so that the process id we were started with is the program's own.  Our temporary folder
#: keeps its name inside, so that configuration and data are found under one path from both sides.
_ENTER = """set -e
root=$1 shared=$2; shift 2
mkdir -p "$root$shared"
for folder in /proc /dev "$shared"; do mount --rbind "$folder" "$root$folder"; done
exec chroot "$root" "$@"
"""


def inside() -> list[str]:
    """What to put before a command to run it in the root folder that the environment names; nothing if it names none."""
    root = os.environ.get(VARIABLE)
    if not root:
        return []
    return ["unshare", "--mount", "sh", "-c", _ENTER, "inside", root, os.path.realpath(tempfile.gettempdir())]
