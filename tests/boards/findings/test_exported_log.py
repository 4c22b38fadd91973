"""Whoever mines the exported event log finds what the tower finds: a small miner of its own reads the log, and nothing else."""

import random
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.core.cache import cache

from apps.accounts.access import EVERYTHING
from apps.boards.analytics import analysis, eventlog
from apps.workflows import registry, tallies
from tests.boards.findings.ways import NAME, parts, went
from tests.boards.lives import NOW
from tests.world import World

pytestmark = pytest.mark.django_db
XES = "{http://www.xes-standard.org/}"
WORKFLOW = registry.workflows()[NAME]
TITLES = {stage.name: stage.title for stage in WORKFLOW.stages}
PLACES = {stage.title: place for place, stage in enumerate(WORKFLOW.stages)}
NO_STEP = {stage.title for stage in WORKFLOW.stages if not stage.is_step}
ENDS = {stage.title for stage in WORKFLOW.stages if not stage.is_open}


@pytest.fixture
def traces(world: World) -> list[list[tuple[str, datetime]]]:
    """The ways of orders as the log tells them, some back, some to and fro, some expired, some under way."""
    cache.clear()
    dice = random.Random(3)
    usual = ["quotation", "waiting_for_stock", "ready_to_pick", "to_invoice", "unpaid", "closed"]
    for number in range(1, 120):
        way = [stage for stage in usual if dice.random() < 0.9]
        for _ in range(dice.choice([0, 1, 2])):
            place = dice.randrange(len(way))
            way[place:place] = dice.choices(
                ["quotation", "expired", "waiting_for_stock", "ready_to_pick"], k=dice.choice([1, 2, 4])
            )
        way = [stage for place, stage in enumerate(way) if not place or stage != way[place - 1]]
        went(world, number, *((dice.uniform(1, 9) / 10 + hours * 3, stage) for hours, stage in enumerate(way)))
    tallies.fold()
    root = ET.fromstring("".join(eventlog.xes([WORKFLOW], first=None, now=NOW, access_scope=EVERYTHING)))
    events = [[{one.get("key"): one.get("value") for one in event} for event in case.iter(f"{XES}event")] for case in root]
    return [
        [(str(event["concept:name"]), datetime.fromisoformat(str(event["time:timestamp"]))) for event in case]
        for case in events
        if case
    ]


def steps(trace: list[tuple[str, datetime]]) -> list[str]:
    """The steps of a way, one after the other another one."""
    found = [title for title, _ in trace if title not in NO_STEP]
    return [title for number, title in enumerate(found) if not number or title != found[number - 1]]


def test_a_miner_of_the_log_finds_the_same_paths_and_cycle_times(traces: list[list[tuple[str, datetime]]]) -> None:
    told = analysis.analysis_of(WORKFLOW, now=NOW, days=84, access_scope=EVERYTHING)
    followed = Counter((one, other) for trace in traces for (one, _), (other, _) in pairwise(trace))
    assert {(path.from_title, path.to_title): path.count for path in told.paths if path.from_stage} == followed

    ended = sorted(trace[-1][1] - trace[0][1] for trace in traces if trace[-1][0] in ENDS and len(trace) > 1)
    assert told.ended == len(ended) > 50
    middle = (ended[(len(ended) - 1) // 2] + ended[len(ended) // 2]) / 2
    assert timedelta(seconds=told.cycle_seconds[0]) == pytest.approx(middle, abs=timedelta(seconds=1))


def test_a_miner_of_the_log_finds_the_same_rework_and_ping_pong(traces: list[list[tuple[str, datetime]]]) -> None:
    rework: Counter[tuple[str, str]] = Counter()
    swings: Counter[frozenset[str]] = Counter()
    for way in map(steps, traces):
        moves = list(enumerate(pairwise(way), start=1))
        rework.update({move for number, move in moves if PLACES[move[1]] < PLACES[move[0]] and move[1] in way[:number]})
        swings.update({frozenset(way[n : n + 2]) for n in range(len(way) - 3) if way[n : n + 2] == way[n + 2 : n + 4]})

    assert len(rework) > 3 and swings
    assert {(TITLES[part[0]], TITLES[part[1]]): one.count for part, one in parts("rework").items()} == rework
    assert {frozenset({TITLES[part[0]], TITLES[part[1]]}): one.count for part, one in parts("ping_pong").items()} == swings
