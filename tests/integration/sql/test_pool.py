"""The connection pool with a real server that kills connections, hangs, rejects calls and recovers."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from functions.accounts.model import Login
from functions.accounts.repository import MySqlLoginStore
from functions.platform import mysql
from functions.platform.errors import Malformed, ProcedureFailed, ProcedureRefused, StoreUnavailable
from functions.platform.mysql import Database
from tests.support.mysql import running_mysql, write_sql
from tests.support.stopping import stopped
from tests.support.waiting import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.mysql import Running

PROCEDURES = """\
CREATE TABLE counters (counter_id INT NOT NULL PRIMARY KEY, count INT NOT NULL) ENGINE = InnoDB;
INSERT INTO counters VALUES (1, 0), (2, 0);
DELIMITER //
CREATE PROCEDURE which_connection() SELECT CONNECTION_ID() AS id //
CREATE PROCEDURE do_nothing() BEGIN END //
CREATE PROCEDURE wait_for(p_seconds DOUBLE) SELECT SLEEP(p_seconds) AS broken //
CREATE PROCEDURE count_and_sleep_after(p_count INT)
BEGIN
  DECLARE v_broken INT;
  UPDATE counters SET count = count + 1 WHERE counter_id = 1;
  IF (SELECT count FROM counters WHERE counter_id = 1) = p_count + 1 THEN
    SELECT SLEEP(600) INTO v_broken;
  END IF;
END //
CREATE PROCEDURE counted() SELECT count FROM counters WHERE counter_id = 1 //
CREATE PROCEDURE refuse_half_way()
BEGIN
  START TRANSACTION;
  UPDATE counters SET count = count + 1 WHERE counter_id = 1;
  SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30007, MESSAGE_TEXT = 'Not today.';
END //
CREATE PROCEDURE leave_open()
BEGIN
  START TRANSACTION;
  UPDATE counters SET count = count + 1 WHERE counter_id = 1;
END //
CREATE PROCEDURE answer_twice() BEGIN SELECT 1 AS one; SELECT 2 AS two; END //
CREATE PROCEDURE add_counter(p_counter_id VARCHAR(100)) INSERT INTO counters VALUES (p_counter_id, 0) //
CREATE PROCEDURE add_to_both(p_first INT, p_second INT)
BEGIN
  DECLARE v_broken INT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  START TRANSACTION;
  UPDATE counters SET count = count + 1 WHERE counter_id = p_first;
  SELECT SLEEP(0.2) INTO v_broken;
  UPDATE counters SET count = count + 1 WHERE counter_id = p_second;
  COMMIT;
END //
CREATE PROCEDURE fail_with(p_text VARCHAR(100))
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = p_text;
END //
"""


@pytest.fixture(scope="module", autouse=True)
def toys(server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Create the procedures that misbehave."""
    server.apply(write_sql(tmp_path_factory.mktemp("sql"), "toys", _0001_all=PROCEDURES))
    yield
    server.ask("DROP DATABASE toys_db")
    server.ask("DROP USER toys, toys_owner")


@pytest.fixture
def pool(server: Running) -> Iterator[Database]:
    """Return a database with a pool that no other test has used."""
    database = server.toys("toys")
    yield database
    database.close()


@pytest.fixture
def patient_pool(server: Running) -> Iterator[Database]:
    """Return a database with a pool of its own that waits for answers as long as a test does."""
    database = server.toys("toys", answer_s=PATIENCE_S)
    yield database
    database.close()


def connections(server: Running) -> list[int]:
    rows = server.ask("SELECT id FROM information_schema.processlist WHERE user = 'toys' ORDER BY id")
    return [row["id"] for row in rows]


def wait_until_called(server: Running) -> int:
    """Wait until a procedure sleeps; return the id of its connection.

    While the procedure runs, MariaDB shows the procedure's owner as the user of the connection.
    """
    asked = "SELECT id FROM information_schema.processlist WHERE user LIKE 'toys%%' AND state = 'User sleep'"
    return int(eventually(lambda: server.ask(asked), every_s=0.05)[0]["id"])


def test_connection_outlives_the_call_and_is_used_again(pool: Database) -> None:
    first = pool.call("which_connection")
    assert pool.call("do_nothing") == []
    assert [pool.call("which_connection") for _ in range(3)] == [first] * 3


def test_threads_share_no_more_connections_than_there_may_be(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql, "WAIT_FOR_ONE_S", PATIENCE_S)
    pool = server.toys("toys", most=4)
    with ThreadPoolExecutor(24) as threads:
        list(threads.map(lambda _: pool.call("wait_for", 0.05), range(48)))
    eventually(lambda: len(connections(server)) == 4)
    pool.close()
    assert pool.call("which_connection")
    pool.close()


def test_whoever_waits_too_long_for_a_connection_is_told_to_come_back(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql, "WAIT_FOR_ONE_S", 0.1)
    pool = server.toys("toys", most=1)
    with ThreadPoolExecutor(1) as threads:
        busy = threads.submit(pool.call, "wait_for", 5.0)
        wait_until_called(server)
        with pytest.raises(StoreUnavailable, match="toys_db is busy"):
            pool.call("do_nothing")
        busy.result()
    assert pool.call("do_nothing") == []
    pool.close()


def test_connection_that_was_killed_while_idle_is_replaced_unnoticed(server: Running, pool: Database) -> None:
    (first,) = pool.call("which_connection")
    server.ask(f"KILL {first['id']}")
    (second,) = pool.call("which_connection")
    assert second != first


def test_call_that_breaks_in_the_midst_is_not_repeated(server: Running, patient_pool: Database) -> None:
    (before,) = patient_pool.call("counted")
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(patient_pool.call, "count_and_sleep_after", before["count"])
        server.ask(f"KILL {wait_until_called(server)}")
        with pytest.raises(StoreUnavailable, match="toys_db does not answer"):
            call.result()
    assert patient_pool.call("counted") == [{"count": before["count"] + 1}]


def test_call_that_breaks_in_the_midst_is_repeated_if_that_does_no_harm(
    server: Running, patient_pool: Database
) -> None:
    (before,) = patient_pool.call("counted")
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(patient_pool.call, "count_and_sleep_after", before["count"], idempotent=True)
        server.ask(f"KILL {wait_until_called(server)}")
        assert call.result() == []
    assert patient_pool.call("counted") == [{"count": before["count"] + 2}]


def test_deadlock_is_tried_again_since_nothing_of_it_was_done(server: Running, pool: Database) -> None:
    server.ask("UPDATE toys_db.counters SET count = 0")
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(pool.call, "add_to_both", 1, 2)
        other = threads.submit(pool.call, "add_to_both", 2, 1)
        assert (one.result(), other.result()) == ([], [])
    assert [row["count"] for row in server.ask("SELECT count FROM toys_db.counters ORDER BY counter_id")[:2]] == [2, 2]


def test_idle_connection_is_asked_after_a_while_and_given_up_after_a_long_one(server: Running) -> None:
    now = [0.0]
    pool = server.toys("toys", clock=lambda: now[0])
    (first,) = pool.call("which_connection")
    now[0] += mysql.PING_AFTER_S
    assert pool.call("which_connection") == [first]
    now[0] += mysql.CLOSE_AFTER_S
    (second,) = pool.call("which_connection")
    assert second != first
    eventually(lambda: connections(server) == [second["id"]])
    pool.close()


def test_connection_that_long_lay_unused_below_others_is_closed(server: Running) -> None:
    now = [0.0]
    pool = server.toys("toys", clock=lambda: now[0])
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: pool.call("wait_for", 2.0), range(3)))
    eventually(lambda: len(connections(server)) == 3)
    for _ in range(3):
        now[0] += mysql.CLOSE_AFTER_S / 2
        pool.call("do_nothing")
    eventually(lambda: len(connections(server)) == 1)
    pool.close()


def test_refusal_of_a_procedure_keeps_its_number_and_leaves_no_lock(server: Running, pool: Database) -> None:
    (first,) = pool.call("which_connection")
    with pytest.raises(ProcedureRefused) as refused:
        pool.call("refuse_half_way")
    assert (refused.value.number, refused.value.detail) == (30007, "Not today.")
    assert pool.call("which_connection") == [first]
    server.ask("UPDATE toys_db.counters SET count = count + 1")  # would time out if a lock were still held


def test_procedure_that_leaves_its_transaction_open_is_found_out_and_undone(server: Running, pool: Database) -> None:
    (before,) = pool.call("counted")
    with pytest.raises(ProcedureFailed, match="left its transaction open"):
        pool.call("leave_open")
    assert pool.call("counted") == [before]


def test_procedure_of_two_answers_is_found_out(pool: Database) -> None:
    with pytest.raises(ProcedureFailed, match="more than one result set"):
        pool.call("answer_twice")
    assert pool.call("do_nothing") == []


def test_procedure_that_is_not_there_is_told_with_what_to_do(pool: Database) -> None:
    with pytest.raises(
        StoreUnavailable, match=r"toys_db does not offer not_yet \(error 1\d+\)\. Check that its migrations are applied"
    ):
        pool.call("not_yet")


@pytest.mark.parametrize("name", ["which_connection()", "which connection", "x`; --", "", "Which", "1st"])
def test_name_that_is_none_of_a_procedure_is_not_sent(pool: Database, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a procedure"):
        pool.call(name)


def test_wrong_password_is_told_without_it(server: Running) -> None:
    database = Database(f"mysql://toys:s3cret@{server.address.host}:{server.address.port}/toys_db")
    with pytest.raises(StoreUnavailable, match=r"refuses the login \(error 1045\)") as refused:
        database.call("do_nothing")
    assert "s3cret" not in "".join(traceback.format_exception(refused.value))


SECRET = "somebody@example.org"


@pytest.mark.parametrize("procedure", ["add_counter", "fail_with"])
def test_no_error_repeats_an_argument(pool: Database, procedure: str) -> None:
    """The server's message contains the argument: "Incorrect integer value: 'somebody@example.org' for column …"."""
    with pytest.raises((Malformed, ProcedureFailed)) as refused:
        pool.call(procedure, SECRET)
    assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_duplicate_that_nobody_foresaw_is_told_without_it(pool: Database) -> None:
    with pytest.raises(ProcedureFailed, match=r"add_counter in toys_db failed with error 1062") as refused:
        pool.call("add_counter", "1")
    assert "PRIMARY" not in "".join(traceback.format_exception(refused.value))


def called_in_time(pool: Database) -> bool:
    """Call a procedure; return False if the machine is too busy to answer within the pool's limit."""
    try:
        pool.call("do_nothing")
    except StoreUnavailable as late:
        assert re.search(r"no answer in|\(TimeoutError\)", str(late)), late
        return False
    return True


def test_server_that_hangs_is_waited_for_only_so_long(server: Running) -> None:
    pool = server.toys("toys", answer_s=0.5)
    eventually(lambda: called_in_time(pool))
    with stopped(server.pid):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"no answer in 0\.5 s"):
            pool.call("do_nothing", idempotent=True)
        assert time.monotonic() - began < PATIENCE_S
    eventually(lambda: called_in_time(pool))
    pool.close()


def test_nobody_at_the_address_is_told(refused_port: int) -> None:
    with pytest.raises(StoreUnavailable, match=r"toys_db does not answer \(ConnectionRefusedError\)"):
        Database(f"mysql://toys:secret@127.0.0.1:{refused_port}/toys_db").call("do_nothing")


def test_killed_server_makes_calls_fail_with_503_loses_nothing_acknowledged_and_is_used_again(tmp_path: Path) -> None:
    with running_mysql(tmp_path) as server:
        logins = MySqlLoginStore(server.database("logins"))
        acknowledged: list[str] = []
        faults: list[BaseException] = []
        done = threading.Event()

        def register() -> None:
            while not done.is_set():
                user_id = uuid4().hex
                address = f"{user_id}@example.org"
                login = Login(user_id, address, address, "$argon2id$", False, None, datetime.now(UTC))
                try:
                    logins.add_login(login)
                    acknowledged.append(user_id)
                except StoreUnavailable:
                    faults.append(StoreUnavailable(""))
                    time.sleep(0.01)
                except BaseException as error:  # noqa: BLE001 - any other error fails the test
                    faults.append(error)

        threads = [threading.Thread(target=register) for _ in range(12)]
        for thread in threads:
            thread.start()
        try:
            eventually(lambda: len(acknowledged) > 200)
            os.kill(server.pid, signal.SIGKILL)
            server.wait_until_restarted(times=1)
            before = len(acknowledged)
            eventually(lambda: len(acknowledged) > before + 200)
        finally:
            done.set()
            for thread in threads:
                thread.join()
        assert faults
        assert {type(fault) for fault in faults} == {StoreUnavailable}
        kept = {row["user_id"] for row in server.ask("SELECT user_id FROM logins_db.logins")}
        assert set(acknowledged) <= kept
