"""What is installed is what stands here: the wheel holds every module, the migrations, the licence, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser

import pytest

from tests.house.sources import PACKAGES, ROOT, python_files

BESIDES = ("pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy: setuptools leaves a folder behind that would find its way into the next one."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDES:
        shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


def about(wheel: zipfile.ZipFile, file: str) -> str:
    [name] = [name for name in wheel.namelist() if re.fullmatch(rf"orderflow-[^/]+\.dist-info/{file}", name)]
    return wheel.read(name).decode()


def metadata(wheel: zipfile.ZipFile) -> Message:
    return Parser().parsestr(about(wheel, "METADATA"))


def test_the_wheel_holds_every_module_and_no_other(wheel: zipfile.ZipFile) -> None:
    ours = {str(path.relative_to(ROOT)) for path in python_files(*PACKAGES)}
    assert {name for name in wheel.namelist() if name.endswith(".py")} == ours


def test_the_wheel_holds_the_data_that_the_code_reads(wheel: zipfile.ZipFile) -> None:
    data = {name for name in wheel.namelist() if ".dist-info/" not in name and not name.endswith(".py")}
    on_disk = {
        str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert data == on_disk, "name it under [tool.setuptools.package-data] in pyproject.toml"


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = metadata(wheel)
    assert said["Version"] == project["version"]
    assert said["License-Expression"] == "MIT"
    assert "MIT License" in about(wheel, "licenses/LICENSE")
    assert "orderflow = lab.cli:main" in about(wheel, "entry_points.txt")
    assert set(said.get_all("Classifier") or ()) == set(project["classifiers"])


def test_the_version_is_told() -> None:
    done = subprocess.run([sys.executable, "-c", "from lab.cli import main; main()", "--version"],
                          capture_output=True, text=True, check=False, cwd=ROOT)
    assert re.fullmatch(r"orderflow \d+\.\d+\.\d+ \(Python \d+\.\d+\.\d+.*\)\n", done.stdout), done.stderr


def test_the_changelog_knows_the_version_or_what_comes_next() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## Unreleased" in changelog or f"## {project['version']}" in changelog
