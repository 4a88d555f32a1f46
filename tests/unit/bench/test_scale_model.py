"""The model of `./notflix bench scale` computes what can be counted by hand."""

from __future__ import annotations

import re

import pytest

from functions.encoding.spending.costs import COOL_DOWN_S, START_S
from infra.local.home import REPOSITORY
from tests.bench._scale_model import (
    CHUNK,
    FRONT,
    POLL_S,
    SOUND,
    Encoders,
    Film,
    Rule,
    Task,
    serial_share,
    simulate,
    speedup,
)
from tests.bench.scale import Measured, Rates, duration, rates

TEN = Task(CHUNK, 10.0)


def ready_s(done: Film, on: Encoders | Rule) -> float:
    return simulate(done, on).done_s[0]


def film(*tasks: Task, serial: float = 0.0, plan_s: float = 0.0, publish_s: float = 0.0) -> Film:
    return Film(plan_s, publish_s, serial, (tasks,))


def test_a_task_alone_is_as_fast_as_amdahls_law_says() -> None:
    assert speedup(0.0, 4) == 4
    assert speedup(1.0, 4) == 1
    assert speedup(0.5, 2) == pytest.approx(4 / 3)
    assert serial_share(speedup(0.3, 2), 2) == pytest.approx(0.3)
    assert ready_s(film(TEN, serial=0.5), Encoders(2, 1)) == pytest.approx(7.5)


def test_plan_and_publication_come_before_and_after() -> None:
    seen = simulate(film(Task(FRONT, 2.0), plan_s=3.0, publish_s=1.0), Encoders(1, 1))
    assert seen.first_picture_s == pytest.approx(5.0)
    assert seen.done_s[0] == pytest.approx(6.0)


def test_an_encoder_takes_one_chunk_at_a_time() -> None:
    assert ready_s(film(TEN, TEN, TEN, serial=1.0), Encoders(4, 1)) == pytest.approx(30.0)
    assert ready_s(film(TEN, TEN, TEN, serial=1.0), Encoders(4, 2)) == pytest.approx(20.0)
    assert ready_s(film(TEN, TEN, TEN, serial=1.0), Encoders(4, 1, 3)) == pytest.approx(10.0)


def test_tasks_share_the_cores() -> None:
    assert ready_s(film(TEN, TEN), Encoders(2, 2)) == pytest.approx(10.0)
    assert ready_s(film(TEN, Task(SOUND, 10.0)), Encoders(2, 1)) == pytest.approx(10.0)
    assert ready_s(film(TEN, TEN, TEN, serial=1.0), Encoders(2, 3)) == pytest.approx(15.0)


def test_the_front_takes_what_it_can_use() -> None:
    seen = simulate(film(Task(FRONT, 10.0), TEN), Encoders(2, 1))
    assert seen.first_picture_s == pytest.approx(5.0)
    assert seen.done_s[0] == pytest.approx(10.0)


def test_the_second_phase_begins_when_the_first_is_published() -> None:
    seen = simulate(Film(0.0, 1.0, 1.0, ((TEN,), (TEN,))), Encoders(1, 1))
    assert list(seen.done_s) == pytest.approx([11.0, 22.0])


def test_one_replica_starts_at_the_first_poll_and_is_billed_until_it_has_cooled_down() -> None:
    seen = simulate(film(TEN, serial=1.0), Rule(1, 1))
    started = POLL_S / 2
    assert seen.done_s[0] == pytest.approx(started + START_S + 10.0)
    assert seen.replicas == 1
    assert seen.replica_s >= START_S + 10.0 + COOL_DOWN_S - POLL_S
    assert seen.replica_s <= START_S + 10.0 + COOL_DOWN_S + 2 * POLL_S


def test_replicas_are_added_in_steps_and_never_more_than_the_queue_asks_for() -> None:
    hundred = film(*[Task(CHUNK, 1000.0)] * 100, serial=1.0)
    assert simulate(hundred, Rule(1000, 1)).replicas == 100
    assert simulate(hundred, Rule(1000, 4)).replicas == 25
    assert simulate(hundred, Rule(20, 4)).replicas == 20
    polls = POLL_S / 2 + 3 * POLL_S  # the first replica, which is started and plans; then 4, 8, 16
    short = film(*[Task(CHUNK, 1.0)] * 16, serial=1.0)
    assert simulate(short, Rule(1000, 1)).done_s[0] < START_S + polls + START_S


def test_no_encoder_works_more_than_its_cores_allow() -> None:
    tasks = [Task(FRONT, 3.0), *[Task(CHUNK, 20.0)] * 30, Task(SOUND, 5.0)]
    work = sum(task.core_s for task in tasks)
    for processes in range(1, 5):
        seen = simulate(film(*tasks, serial=0.1), Encoders(2, processes))
        assert work / 2 <= seen.done_s[0] <= work


def test_the_rates_reproduce_the_clips_that_they_come_from() -> None:
    brief, short = Measured(4.0, 24.0, 36.0, 40.0), Measured(4.0, 46.0, 73.5, 80.0)
    found = rates(brief, short, cpu_of=lambda clip: clip.cpu_s)
    seen = simulate(found.film(55.125), Encoders(2, 1))
    assert seen.first_picture_s == pytest.approx(4.0, abs=0.3)
    assert seen.done_s[0] == pytest.approx(46.0, rel=0.02)


def test_twice_as_fast_cores_halve_everything() -> None:
    slow = Rates(0.8, 0.1, 2.0, 1.0)
    before, after = (simulate(each.film(600), Encoders(4, 1, 10)) for each in (slow, slow.on_cores(2.0)))
    assert after.done_s[0] == pytest.approx(before.done_s[0] / 2)


def test_the_rule_is_that_of_the_template() -> None:
    template = (REPOSITORY / "infra" / "encoder.bicep").read_text(encoding="utf-8")
    found = re.search(r"pollingInterval: (\d+)", template)
    assert found
    assert float(found[1]) == POLL_S
    assert "name: 'encode-front', length: 2" in template


def test_durations_are_readable() -> None:
    assert [duration(each) for each in (0.4, 99.4, 100, 3723)] == ["0 s", "99 s", "1:40 min", "62:03 min"]
