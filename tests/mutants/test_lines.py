"""One line cut out of each kind of defence is noticed by the tests that watch its file; and what changes nothing is not."""

from __future__ import annotations

import os

import pytest

from tests.mutants.cuts import Cut, cuts
from tests.mutants.lines import every
from tests.mutants.lines_kept import survivors
from tests.mutants.lines_watch import ROOT, watchers
from tests.mutants.spared import SPARED
from tests.mutants.warm_run import Warm

pytestmark = [
    pytest.mark.timeout(900),  # it starts a test run of its own, which takes its time on a busy machine
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the runner needs Linux"),
]

SECONDS = 300.0

SAMPLES = {
    "a guard": "patterns/step.py move: – return session.execute(",
    "a condition of every statement that ends an order": "order/crud.py module: – argument _OPEN",
    "the order of ack and commit": "patterns/listener.py Listener._work: channel.ack(max(",
    "the inbox": "patterns/listener.py deliver: – operand heard.id in first",
    "what is said is written down": "patterns/listener.py deliver: – return outbox.add(session, said)",
    "a compensation": "user/crud.py release: – transfer(",
    "sent means confirmed": "patterns/voice.py Voice.say: – operand not one.awaits_answer",
}


def sample(beginning: str) -> Cut:
    found = next((cut for cut in every([beginning.split(" ")[0]]) if cut.name.startswith(beginning)), None)
    assert found is not None, f"there is no such cut any more; choose another one like {beginning}"
    return found


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> object:
    tests = sorted({test for beginning in SAMPLES.values() for test in watchers(beginning.split(" ")[0])})
    with Warm(tmp_path_factory.mktemp("cuts"), tests) as made:
        yield made


@pytest.mark.whole(defence=tuple(SAMPLES)[3:])
@pytest.mark.parametrize("defence", SAMPLES)
def test_a_line_that_is_cut_out_is_missed(defence: str, warm: Warm) -> None:
    cut = sample(SAMPLES[defence])
    assert warm.noticed(cut, warm.among(watchers(cut.file)), SECONDS), f"nobody missed {cut.name}"


def test_a_cut_that_changes_nothing_is_not(warm: Warm) -> None:
    file = "patterns/step.py"
    source = (ROOT / file).read_text(encoding="utf-8")
    same = Cut(file, 1, "move", "nothing", f"{source}\n# a line of words more\n", in_function=True)
    some = warm.among(watchers(file))[:1]
    assert not warm.noticed(same, some, SECONDS) and not warm.noticed(None, some, SECONDS)


def names(source: str) -> set[str]:
    return {cut.what for cut in cuts("x.py", source)}


def test_every_part_of_a_guard_is_cut() -> None:
    found = names("def f(a, b):\n    if a and not b:\n        return g(t).where(a, b)\n    ack(a)\n    commit(b)\n")
    assert found >= {
        "– if a and not b: return g(t).where(a, b)", "always a and not b", "– operand a", "– operand not b", "– not b",
        "– return g(t).where(a, b)", "– .where(a, b)", "– argument a", "– argument b", "– ack(a)",
        "commit(b) ⇅ before ack(a)",
    }


def test_what_is_only_said_is_not_cut() -> None:
    assert names('def f() -> int:\n    """Words."""\n    self._log.warning("words")\n    x: int\n') == set()


def test_a_cut_that_lives_needs_a_reason() -> None:
    assert survivors({"lives": "", "noticed": "tests/x.py::test"}) == ["lives"]
    assert survivors(dict.fromkeys(SPARED, "")) == []
