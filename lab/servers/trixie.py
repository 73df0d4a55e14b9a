"""RabbitMQ 4.0 beside the machine's own: Debian trixie's, in a folder, for the tests.

::

    python -m lab.servers.trixie                    # the conformance suite, against 4.0
    python -m lab.servers.trixie tests/flows -x     # any tests, against 4.0
    python -m lab.servers.trixie --serve            # a private 4.0 node, until Ctrl-C

The first time, ``debootstrap`` makes the folder (~/.cache/orderflow/trixie, or ORDERFLOW_TRIXIE): about a minute and
370 MB.  Delete it to have it made anew.  Needs root, on a Debian or Ubuntu; no service is started, nothing stays mounted.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from lab.servers.otherroot import VARIABLE
from lab.servers.rabbitmq import PrivateRabbitMQ
from patterns.errors import BrokerUnavailable

#: Used where apt's own configuration names no Debian mirror; ORDERFLOW_DEBIAN_MIRROR names another.
MIRROR = "https://deb.debian.org/debian"

SUITE = "tests/contract"


def root_folder() -> Path:
    """Where trixie is, or will be."""
    return Path(os.environ.get("ORDERFLOW_TRIXIE") or Path.home() / ".cache/orderflow/trixie").absolute()


def main(arguments: list[str]) -> int:
    """Make the root folder if it is not there; then run tests against its RabbitMQ, or serve it."""
    root = root_folder()
    try:
        make(root)
    except BrokerUnavailable as error:
        print(error, file=sys.stderr)
        return 2
    os.environ[VARIABLE] = str(root)
    os.environ.pop("RABBITMQ_URL", None)  # it would win over the private node
    if arguments[:1] == ["--serve"]:
        return serve()
    chosen = arguments if any(Path(each.split("::")[0]).exists() for each in arguments) else [SUITE, *arguments]
    print(f"Testing {' '.join(chosen)} against the RabbitMQ in {root}.", flush=True)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *chosen])  # noqa: S606 (pytest itself: Ctrl-C is its own)


def serve() -> int:
    """Start a node, say where it is, and wait for Ctrl-C (or SIGTERM)."""
    asked_to_end = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: asked_to_end.set())
    with PrivateRabbitMQ() as rabbitmq:
        print(f"{rabbitmq.description}\nRABBITMQ_URL={rabbitmq.url()}", flush=True)
        asked_to_end.wait()
    return 0


def make(root: Path) -> None:
    """See to it that ``root`` holds a Debian trixie with RabbitMQ."""
    if root.exists():
        return
    if os.geteuid() != 0:
        raise BrokerUnavailable(f"{root} is not there, and making it needs root (debootstrap, chroot): run this as root.")
    _find_debootstrap()
    mirror = os.environ.get("ORDERFLOW_DEBIAN_MIRROR") or _mirror_of_apt() or MIRROR
    print(f"Making a Debian trixie with RabbitMQ in {root}: about a minute, once.", flush=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    # Made under another name first: a folder that was begun and not finished must not pass for a finished one.
    with tempfile.TemporaryDirectory(prefix="making-", dir=root.parent) as begun:
        _bootstrap(Path(begun) / "trixie", mirror)
        (Path(begun) / "trixie").rename(root)


def _bootstrap(folder: Path, mirror: str) -> None:
    """Run debootstrap, which keeps the services it installs from starting; in mounts of its own, so that none is left."""
    command = ["unshare", "--mount", "debootstrap", "--variant=minbase", "--include=rabbitmq-server"]
    done = subprocess.run(
        [*command, "trixie", str(folder), mirror],
        env=os.environ | _proxy_of_apt(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BrokerUnavailable(f"debootstrap could not make {folder}:\n{(done.stdout + done.stderr)[-1500:]}")


def _find_debootstrap() -> None:
    if shutil.which("debootstrap"):
        return
    if not shutil.which("apt-get"):
        raise BrokerUnavailable("debootstrap is not installed; a Debian or Ubuntu has it.")
    print("Installing debootstrap with apt-get.", flush=True)
    packages = ["debootstrap", "debian-archive-keyring"]
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    if not shutil.which("debootstrap"):
        raise BrokerUnavailable("apt-get could not install debootstrap; it said why above.")


def _mirror_of_apt() -> str:
    """The Debian mirror this machine's apt uses, if it uses one."""
    for uri in _ask("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").split():
        if uri.rstrip("/").endswith("/debian"):
            return uri.rstrip("/")
    return ""


def _proxy_of_apt() -> dict[str, str]:
    """The proxy this machine's apt uses, in the words of debootstrap's downloader."""
    proxy = _ask("apt-config", "dump", "--format", "%v", "Acquire::http::Proxy").strip()
    return {"http_proxy": proxy, "https_proxy": proxy} if proxy and proxy != "DIRECT" else {}


def _ask(*command: str) -> str:
    if not shutil.which(command[0]):
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
