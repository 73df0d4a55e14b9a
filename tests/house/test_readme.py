"""What the README shows is what there is."""

from __future__ import annotations

import re

from tests.house.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_of_a_service_of_ones_own_is_the_file_that_is_tested() -> None:
    shown = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert (ROOT / "examples" / "loyalty.py").read_text(encoding="utf-8") in shown, "copy examples/loyalty.py anew"
