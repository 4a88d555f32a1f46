"""The queue of password hashes: lines take turns, a flood displaces only its own requests, known users come first."""

from __future__ import annotations

from typing import Any

import pytest

from functions.accounts.hash_queue import HALF_LIFE_S, MOST_REMEMBERED, FairQueue, HashTicket, HashTicketState, Line

VICTIM = Line("192.0.2.1")
NETWORKS = [Line(f"203.0.113.{number}") for number in range(12)]


class Time:
    """A clock that only moves on request."""

    s = 0.0

    def __call__(self) -> float:
        return self.s


def make_queue(**limits: Any) -> FairQueue:
    return FairQueue(**{"concurrent": 1, "most_waiting": 8, "most_in_line": 2, "now": Time(), **limits})


def enter_all(queue: FairQueue, lines: list[Line]) -> list[HashTicket]:
    return [queue.enter(line) for line in lines]


def states(tickets: list[HashTicket]) -> list[str]:
    return [ticket.state.value for ticket in tickets]


def serve(queue: FairQueue, tickets: list[HashTicket]) -> list[Line]:
    """End running tickets until none is running; return their lines in the order in which they were served."""
    served = []
    while running := [ticket for ticket in tickets if ticket.state is HashTicketState.RUNNING]:
        served.append(running[0].line)
        queue.leave(running[0])
    return served


def test_lines_take_turns_however_many_of_one_wait() -> None:
    a, b, c = NETWORKS[:3]
    queue = make_queue(most_in_line=4)
    assert serve(queue, enter_all(queue, [a, a, a, a, b, b, c])) == [a, b, c, a, b, a, a]


def test_a_line_holds_a_limited_number_of_places() -> None:
    queue = make_queue()
    assert states(enter_all(queue, [NETWORKS[0]] * 4)) == ["running", "waiting", "waiting", "refused"]


def test_a_newcomer_displaces_the_newest_of_the_line_that_holds_the_most_places() -> None:
    a, b, c, d = NETWORKS[:4]
    queue = make_queue(most_waiting=3)
    tickets = enter_all(queue, [a, b, c, c, d])
    assert states(tickets) == ["running", "waiting", "waiting", "refused", "waiting"]
    assert tickets[3].settled.is_set()


def test_among_lines_with_one_place_each_the_one_with_the_fewest_recent_attempts_stays() -> None:
    queue = make_queue(most_waiting=2)
    flood, other = NETWORKS[:2]
    tickets = enter_all(queue, [flood, other, flood, flood])
    assert states(tickets) == ["running", "waiting", "waiting", "refused"]
    victim = queue.enter(VICTIM)
    assert states([*tickets, victim]) == ["running", "waiting", "refused", "refused", "waiting"]
    assert queue.enter(flood).state is HashTicketState.REFUSED


def test_attempts_of_long_ago_do_not_count() -> None:
    now = Time()
    queue = make_queue(most_waiting=1, now=now)
    for _ in range(20):
        queue.leave(queue.enter(VICTIM))
    now.s += 10 * HALF_LIFE_S
    enter_all(queue, [NETWORKS[0], NETWORKS[1]])
    assert queue.enter(NETWORKS[1]).state is HashTicketState.REFUSED
    queue.enter(NETWORKS[0])
    assert queue.enter(VICTIM).state is HashTicketState.WAITING


def test_an_attempt_that_succeeded_is_forgiven() -> None:
    queue = make_queue(most_waiting=1)
    for _ in range(20):
        queue.leave(queue.enter(VICTIM))
        queue.forgive(VICTIM)
    enter_all(queue, [NETWORKS[0], NETWORKS[1]])
    assert queue.enter(NETWORKS[1]).state is HashTicketState.REFUSED
    assert queue.enter(VICTIM).state is HashTicketState.WAITING


def test_a_place_that_is_given_up_is_free_again() -> None:
    queue = make_queue(most_waiting=1)
    running, gone = enter_all(queue, NETWORKS[:2])
    queue.leave(gone)
    after = queue.enter(NETWORKS[2])
    assert serve(queue, [running, gone, after]) == [NETWORKS[0], NETWORKS[2]]
    queue.leave(gone)
    assert queue.enter(NETWORKS[3]).state is HashTicketState.RUNNING


def test_people_who_are_known_come_first_but_not_always() -> None:
    queue = make_queue(most_known_waiting=7)
    known = [Line(f"account {number}", known=True) for number in range(7)]
    tickets = enter_all(queue, [NETWORKS[0], VICTIM, NETWORKS[1], *known])
    assert serve(queue, tickets) == [NETWORKS[0], *known[:3], VICTIM, *known[3:6], NETWORKS[1], known[6]]


def test_known_people_who_had_the_queue_for_themselves_let_the_next_stranger_go_first() -> None:
    queue = make_queue(most_known_waiting=9)
    known = [Line(f"account {number}", known=True) for number in range(9)]
    running, *waiting = enter_all(queue, known)
    for ticket in waiting[:5]:
        queue.leave(running)
        running = ticket
    stranger = queue.enter(VICTIM)
    queue.leave(running)
    assert states([stranger, *waiting[5:]]) == ["running", "waiting", "waiting", "waiting"]


def test_a_queue_without_places_to_wait_refuses_at_once() -> None:
    assert states(enter_all(make_queue(most_waiting=0), NETWORKS[:2])) == ["running", "refused"]


def test_known_people_and_others_do_not_displace_each_other() -> None:
    queue = make_queue(most_waiting=1, most_known_waiting=1)
    known, stolen = Line("account", known=True), Line("another account", known=True)
    tickets = enter_all(queue, [*NETWORKS[:2], known, VICTIM, stolen])
    assert states(tickets) == ["running", "waiting", "waiting", "refused", "refused"]


def test_a_person_gets_in_among_twelve_networks_with_four_connections_each() -> None:
    now = Time()
    queue = FairQueue(now=now)
    flood: list[HashTicket] = []
    succeeded = 0
    for _ in range(100):
        person: HashTicket | None = None
        # attackers retry after every hash; the person makes one attempt per twenty hashes
        for moment in range(20):
            now.s += 0.05
            if moment == 10:
                person = queue.enter(VICTIM)
            active = [ticket for ticket in flood if ticket.state is not HashTicketState.REFUSED]
            held = [sum(ticket.line == line for ticket in active) for line in NETWORKS]
            lines = [line for line, connections in zip(NETWORKS, held, strict=True) for _ in range(4 - connections)]
            flood = active + enter_all(queue, lines)
            everyone = [*flood, person] if person else flood
            queue.leave(next(ticket for ticket in everyone if ticket.state is HashTicketState.RUNNING))
            if person and person.state is HashTicketState.RUNNING:
                queue.leave(person)
                queue.forgive(VICTIM)
                succeeded, person = succeeded + 1, None
    assert succeeded >= 95


def test_the_memory_of_lines_is_limited() -> None:
    queue = make_queue()
    for number in range(MOST_REMEMBERED + 10):
        queue.leave(queue.enter(Line(str(number))))
    assert len(queue._records) == MOST_REMEMBERED


def test_an_instance_runs_two_hashes_and_lets_eight_attempts_and_three_known_people_wait() -> None:
    strangers = [Line(f"198.51.100.{number}") for number in range(12)]
    known = [Line(f"account {number}", known=True) for number in range(5)]
    queue = FairQueue(now=Time())
    assert states(enter_all(queue, strangers)) == [*["running"] * 2, *["waiting"] * 8, *["refused"] * 2]
    assert states(enter_all(queue, known)) == [*["waiting"] * 3, *["refused"] * 2]
    assert states(enter_all(FairQueue(now=Time()), [VICTIM] * 9)) == [*["running"] * 2, *["waiting"] * 6, "refused"]


def test_a_line_that_succeeds_again_and_again_collects_no_credit_for_a_flood() -> None:
    now = Time()
    queue = make_queue(most_waiting=1, now=now)
    for _ in range(20):
        queue.leave(queue.enter(NETWORKS[0]))
        now.s += HALF_LIFE_S
        queue.forgive(NETWORKS[0])
    enter_all(queue, [NETWORKS[1], VICTIM])
    assert queue.enter(NETWORKS[0]).state is HashTicketState.REFUSED


@pytest.mark.parametrize(("attempts", "state"), [(2, HashTicketState.REFUSED), (3, HashTicketState.WAITING)])
def test_an_attempt_of_a_half_life_ago_counts_half(attempts: int, state: HashTicketState) -> None:
    now = Time()
    queue = make_queue(most_waiting=1, now=now)
    for _ in range(2):
        queue.leave(queue.enter(VICTIM))
    now.s += HALF_LIFE_S
    enter_all(queue, [NETWORKS[0], *[NETWORKS[1]] * attempts])
    assert queue.enter(VICTIM).state is state, "two attempts that count half, and this one"


def test_the_line_that_was_forgotten_is_the_one_that_was_quiet_for_longest() -> None:
    queue = make_queue(most_waiting=1)
    busy, quiet = NETWORKS[:2]
    for line in (quiet, busy):
        for _ in range(5):
            queue.leave(queue.enter(line))
    for number in range(MOST_REMEMBERED - 2):
        queue.leave(queue.enter(Line(str(number))))
        queue.forgive(busy)
    queue.leave(queue.enter(Line("the last")))
    assert quiet not in queue._records and busy in queue._records
