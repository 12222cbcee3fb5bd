"""The project's files name no package registry's host, no path of one machine, and no tool of one workplace."""

from __future__ import annotations

import re

from tests.architecture.source import ROOT, project_files

# Put together from pieces, so that this file does not contain what it forbids.
FORBIDDEN = {
    "a registry's host": [
        "py" + "pi.org",
        "files.python" + "hosted.org",
        "registry.npm" + "js.org",
        "registry.yarn" + "pkg.com",
        "proxy.go" + "lang.org",
        "crates" + ".io",
    ],
    "a path of one machine": [
        "/" + "work/main",
        "/" + "work/shared",
        "/" + "root/",
        "/" + "opt/wheels",
        "/" + "opt/pypi",
        "/tm" + "p/brief",
    ],
    "a tool of one workplace": ["issues" + " show", "duplicates" + " --change", "before" + "-stop"],
    "who wrote it": ["Co-Authored" + "-By", "Generated" + " with ["],
}
# A home directory of a person: of nobody's in particular where the name is a placeholder.
HOME = re.compile("/" + r"(?:home|Users)/(?!me/|you/|user/|<)[a-z][\w.-]*/")


def test_no_file_speaks_of_another_place() -> None:
    broken: list[str] = []
    for file in project_files():
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # not text
        shown = file.relative_to(ROOT)
        for number, line in enumerate(lines, start=1):
            broken += [
                f"{shown}:{number} names {what}: {word}"
                for what, words in FORBIDDEN.items()
                for word in words
                if word in line
            ]
            if HOME.search(line):
                broken.append(f"{shown}:{number} names somebody's home directory")
    assert not broken, "\n".join(broken)


def test_requirement_files_name_no_host_and_no_place() -> None:
    for file in (ROOT / "requirements").iterdir():
        text = file.read_text(encoding="utf-8")
        assert "://" not in text, file.name
        assert "--index" not in text, file.name
        assert "--find-links" not in text, file.name
        if file.suffix == ".txt":
            pinned = [line for line in text.splitlines() if line and not line[0].isspace() and line[0] != "#"]
            assert pinned, file.name
            assert all("==" in line and line.endswith("\\") for line in pinned), file.name
