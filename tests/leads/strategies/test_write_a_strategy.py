"""The plugin of ``docs/write-a-strategy.md`` is what runs here, word for word."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "write-a-strategy.md"


def test_the_plugin_of_the_tutorial_passes_its_own_tests(tmp_path):
    signature, plugin, tests = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert "extract" in signature
    (tmp_path / "chatferry_plates.py").write_text(plugin, encoding="utf-8")
    (tmp_path / "test_plates.py").write_text(tests, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        ".",
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "passed" in run.stdout
    assert "skipped" not in run.stdout
