"""What the documents say is true: their commands run, their links lead somewhere, their figures come from scripts."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "jobs"))
from cast import register_in, write_dataset

ROOT = Path(__file__).parents[2]
PAGES = sorted(p for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text("utf-8")


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    register_in(home)
    import shutil

    shutil.rmtree(home / "register")
    write_dataset(home / "dataset")
    return home


def test_the_readmes_commands_run_in_their_order(home):
    commands = [line[2:] for block in blocks(README, "console") for line in block.splitlines() if line.startswith("$ ")]
    assert commands[0].split()[:3] == ["askfirst", "register", "build"]
    for command in commands:
        assert command.startswith("askfirst ")
        result = subprocess.run(
            [sys.executable, "-m", *command.split()], cwd=home, capture_output=True, text=True, check=False
        )
        assert result.returncode in (0, 1), (command, result.stderr)


def test_the_readmes_six_lines_of_python_run(home):
    (code,) = blocks(README, "python")
    import shutil

    for name in ("register", "out"):
        shutil.rmtree(home / name, ignore_errors=True)
    result = subprocess.run([sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "dataset/quote.txt register-refusal" in result.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_every_test_that_the_security_page_names_is_there():
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    missing = []
    for cell in re.findall(r"^\|[^|]*\|[^|]*\|([^|]*)\|$", page, re.MULTILINE):
        file = None
        for name in re.findall(r"`([^`]+)`", cell):
            path, _, test = name.partition("::")
            if path.endswith(".py"):
                here = ROOT / "tests" / path if "/" in path else (file.parent if file else ROOT) / path
                file = here
                missing += [] if here.is_file() else [name]
            if test and (file is None or f"def {test}(" not in file.read_text("utf-8")):
                missing.append(name)
    assert missing == []


def test_every_command_has_help_and_is_in_the_documents():
    from askfirst.cli import app

    text = " ".join(page.read_text("utf-8") for page in PAGES)
    for name, command in app.commands.items():
        assert command.help
        assert f"askfirst {name}" in text


def test_the_readme_is_short_enough_to_be_read():
    assert len(README.splitlines()) <= 150


def test_no_page_or_module_names_a_place_of_one_machine():
    files = [p for p in ROOT.rglob("*") if p.suffix in {".md", ".py", ".toml", ".lock", ".json", ".j2", ".css"}]
    mine = [p for p in files if not {".venv", "demo", ".git", "build", ".hypothesis"} & set(p.relative_to(ROOT).parts)]
    places = re.compile(r"/(?:root|home|work|tmp|Users)/[a-z]|--index-url|--extra-index-url|files\.pythonhosted")
    allowed = {ROOT / "tests" / "library" / "test_docs.py"}
    assert [str(p) for p in mine if p not in allowed and places.search(p.read_text("utf-8", "replace"))] == []
