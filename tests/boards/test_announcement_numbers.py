"""How a web process sees that an announcement was lost on the way: by the numbers of each that publishes."""

import os
import threading
from typing import Any

import pytest

from apps.boards.live import broadcast
from apps.core import live


def test_a_gap_in_what_one_publisher_sends_is_seen_and_nothing_else() -> None:
    hub = broadcast.LiveHub.__new__(broadcast.LiveHub)
    hub.heard = {}
    sent = [("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 4), ("b", 3), ("a", 5), ("", 0), ("", 0), ("late", 7)]
    assert [one for one in sent if hub.missed_before(*one)] == [("a", 4), ("late", 7)]


def test_each_thread_and_each_forked_process_counts_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = live._Publisher()
    first, second = publisher.numbered(), publisher.numbered()
    assert (first["publisher"], first["number"], second["number"]) == (second["publisher"], 1, 2)
    told: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: told.append(publisher.numbered()))
    thread.start()
    thread.join()
    monkeypatch.setattr(os, "getpid", lambda: 1)
    told.append(publisher.numbered())
    assert [one["number"] for one in told] == [1, 1]
    assert len({first["publisher"], *(one["publisher"] for one in told)}) == 3
