"""What is built from this tree, and what the built thing does away from it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import jobgate

ROOT = Path(__file__).resolve().parent.parent
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")


def test_the_newest_heading_of_the_changelog_is_the_version() -> None:
    headings = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings[0] == jobgate.__version__


def test_every_requirement_is_pinned_and_hashed_and_names_no_host() -> None:
    text = (ROOT / "requirements.txt").read_text()
    requirements = text.replace("\\\n", " ").splitlines()

    assert [
        line for line in requirements if not re.match(r"[a-z0-9-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []
    assert re.search(r"://|file:|--find-links|--(extra-)?index", text) is None


def test_the_wheel_holds_the_package_with_its_tree_and_contract_and_nothing_else(wheel: Path) -> None:
    expected = {
        *_files("src/jobgate", "jobgate"),
        *_files("actions", "jobgate/actions"),
        *_files("schemas", "jobgate/schemas"),
    }

    names = set(zipfile.ZipFile(wheel).namelist())

    assert {name.split("/")[0] for name in names} == {"jobgate", f"jobgate-{jobgate.__version__}.dist-info"}
    assert {name for name in names if name.startswith("jobgate/")} == expected
    assert names >= {"jobgate/py.typed", "jobgate/sql/jobs.sql", "jobgate/actions/__init__.py"}
    assert any(name.startswith("jobgate/sql/migrations/001_") for name in names)
    assert any(re.fullmatch(r"jobgate/schemas/.+\.json", name) for name in names)


def test_the_source_distribution_holds_what_building_and_testing_need(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}

    assert {name.split("/")[0] for name in names} == {
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "PKG-INFO",
        "README.md",
        "actions",
        "pyproject.toml",
        "requirements.txt",
        "schemas",
        "src",
        "tests",
    }
    assert names >= {"src/jobgate/py.typed", "actions/__init__.py", "tests/test_packaging.py"}


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    rebuilt = _build_wheel(sdist, tmp_path)

    assert _contents(rebuilt) == _contents(wheel)


def test_an_installed_wheel_serves_the_routes_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    _run(*PIP, "install", "--no-deps", "--no-index", "--target", str(site), str(wheel))
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "actions").mkdir(parents=True)
    (elsewhere / "actions" / "__init__.py").write_text("raise RuntimeError('the working directory was loaded')\n")
    routes = (sys.executable, "-m", "jobgate", "routes", "--json")

    installed = _run(*routes, cwd=elsewhere, PYTHONPATH=str(site))

    assert _run(
        sys.executable, "-c", "import jobgate; print(jobgate.__file__)", cwd=elsewhere, PYTHONPATH=str(site)
    ) == (f"{site / 'jobgate' / '__init__.py'}\n")
    assert len(installed) > len("[]\n")
    assert installed == _run(*routes, cwd=elsewhere)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the tree by the pinned backend."""
    return _build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, built likewise."""
    folder = tmp_path_factory.mktemp("sdist")
    _run(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(folder), cwd=ROOT)
    return next(folder.glob("*.tar.gz"))


def _build_wheel(source: Path, folder: Path) -> Path:
    _run(*PIP, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    return next(folder.glob("*.whl"))


def _run(*command: str, cwd: Path | None = None, **environ: str) -> str:
    """What `command` printed; it must succeed, and no setting of the caller's shell reaches it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JOBGATE_", "PYTHON"))}
    done = subprocess.run(command, cwd=cwd, env=inherited | environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _files(folder: str, published: str) -> set[str]:
    return {
        f"{published}/{path.relative_to(ROOT / folder).as_posix()}"
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
