"""A line of conversation with a running Erlang node, over its standard input and output."""

from __future__ import annotations

import collections
import queue
import subprocess
import threading

from patterns.errors import BrokerUnavailable

_MARK = "ORDERFLOW-ANSWER "


class ErlangShell:
    """Evaluates one line of Erlang at a time inside the node.

    ``PROGRAM`` goes on the node's command line (``-eval``), where it runs once the node has booted: its first line
    says so, and at the end of its input it halts the node.
    """

    PROGRAM = (
        "F=fun(G)->case io:get_line([])of L when is_list(L)->R=try {ok,T,_}=erl_scan:string(L),"
        "{ok,E}=erl_parse:parse_exprs(T),{value,V,_}=erl_eval:exprs(E,[]),{ok,V}catch C:X->{failed,C,X}end,"
        f'case R of {{ok,W}}->io:format("~n{_MARK}~0p~n",[W]);_->io:format("~n{_MARK}~0p~n",[R])end,G(G);'
        f'_->erlang:halt(0)end end,io:format("~n{_MARK}ready~n"),spawn(fun()->F(F)end).'
    )

    def __init__(self, node: subprocess.Popen[str]) -> None:
        self._node = node
        self._answers: queue.Queue[str] = queue.Queue()
        self._said: collections.deque[str] = collections.deque(maxlen=60)
        threading.Thread(target=self._read, daemon=True, name="erlang-shell").start()

    def wait_until_ready(self, timeout: float) -> None:
        """Wait until the node has booted."""
        self._answer(timeout)

    def ask(self, expressions: str, timeout: float) -> str:
        """Evaluate expressions, ending in a full stop, and answer the last one's value."""
        assert self._node.stdin is not None  # noqa: S101 (opened as a pipe by whoever started the node)
        self._node.stdin.write(expressions.replace("\n", " ") + "\n")
        self._node.stdin.flush()
        answer = self._answer(timeout)
        if answer.startswith("{failed,"):
            raise BrokerUnavailable(f"RabbitMQ refused {expressions!r}: {answer}")
        return answer

    def _answer(self, timeout: float) -> str:
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            answer = ""
        if not answer:
            what = "said nothing in time" if self._node.poll() is None else "ended"
            raise BrokerUnavailable(f"The private RabbitMQ {what}. Its last words:\n" + "".join(self._said))
        return answer

    def _read(self) -> None:
        """Sort the node's output into answers and the rest, until it ends; an empty answer means it ended."""
        assert self._node.stdout is not None  # noqa: S101 (the same)
        with self._node.stdout as output:
            for line in output:
                if line.startswith(_MARK):
                    self._answers.put(line.removeprefix(_MARK).strip())
                else:
                    self._said.append(line)
        self._answers.put("")
