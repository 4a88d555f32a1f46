"""The set-up names what is missing but shows no values, and a test ends with a sentence, whatever happens."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap, bootstrap_studio
from functions.platform.errors import MailRefused, TooManyAttempts
from functions.platform.finding import Finding
from functions.platform.settings import Settings
from functions.setup import triggers
from functions.setup.model import SETTINGS, Part, PartState, overview_of
from functions.setup.service import MAIL_PAUSE_S, PAUSE_S, Setup
from tests.support.api import call
from tests.support.owners import ADMINISTRATOR, AS_ADMINISTRATOR, AS_OPERATOR, FakeAccess
from tests.support.pauses import MemoryPauses

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "a-secret-value-that-no-answer-contains"
NOTHING = Settings(storage="", mongo_url="", omdb_api_key="", site_origin="")
VALUES = {
    **{name: SECRET for names in SETTINGS.values() for name in names},
    "site_origin": "https://films.example",
    "smtp_url": f"smtps://user:{SECRET}@mail.example",
}
ALL = replace(NOTHING, **VALUES)  # type: ignore[arg-type]


def make_setup(settings: Settings = ALL, **tests: Callable[[str], Finding]) -> Setup:
    """Return the set-up, in which every test without a function in `tests` succeeds."""
    fine = {part: lambda _: Finding(True, "It works.") for part in Part}
    return Setup(settings, {**fine, **{Part(name): test for name, test in tests.items()}}, MemoryPauses())


def test_every_setting_of_a_part_exists() -> None:
    names = {field.name for field in fields(Settings)}
    assert {name for wanted in SETTINGS.values() for name in wanted} <= names
    assert set(SETTINGS) == set(Part)


@pytest.mark.parametrize("part", Part)
def test_a_part_is_missing_until_each_of_its_settings_has_a_value(part: Part) -> None:
    assert overview_of(part, NOTHING).missing == tuple(name.upper() for name in SETTINGS[part])
    assert overview_of(part, ALL).missing == ()
    for name in SETTINGS[part]:
        for nothing in ("", "  "):
            seen = overview_of(part, replace(ALL, **{name: nothing}))  # type: ignore[arg-type]
            assert (seen.state, seen.missing) == (PartState.MISSING, (name.upper(),))


@pytest.mark.parametrize(
    ("part", "changes", "state"),
    [
        (Part.PAYPAL, {}, PartState.READY),
        (Part.PAYPAL, {"paypal_url": "https://api-m.sandbox.paypal.com"}, PartState.STAND_IN),
        (Part.PAYPAL, {"paypal_url": "http://127.0.0.1:7075"}, PartState.STAND_IN),
        (Part.OMDB, {}, PartState.READY),
        (Part.OMDB, {"omdb_url": "http://127.0.0.1:7076/"}, PartState.STAND_IN),
        (Part.MAIL, {}, PartState.READY),
        (Part.MAIL, {"smtp_url": "smtp://127.0.0.1:7077"}, PartState.STAND_IN),
        (Part.MAIL, {"smtp_url": "smtp://[::1"}, PartState.READY),
        (Part.DOMAIN, {}, PartState.READY),
        (Part.DOMAIN, {"site_origin": "http://localhost:7070"}, PartState.STAND_IN),
        (Part.DOMAIN, {"site_origin": "https://films-1.z01.azurefd.net"}, PartState.STAND_IN),
        (Part.DOMAIN, {"site_origin": "https://films.z6.web.core.windows.net"}, PartState.STAND_IN),
        (Part.NEO4J, {"neo4j_uri": "bolt://127.0.0.1:7078"}, PartState.READY),
        (Part.KEYS, {}, PartState.READY),
    ],
)
def test_simulators_sandboxes_and_temporary_addresses_are_stand_ins(
    part: Part, changes: dict[str, str], state: PartState
) -> None:
    assert overview_of(part, replace(ALL, **changes)).state is state  # type: ignore[arg-type]


def test_what_is_not_set_is_not_tested_and_is_named() -> None:
    def never(_: str) -> Finding:
        raise AssertionError("the service was queried")

    setup = make_setup(replace(ALL, smtp_url="", mail_from="", omdb_api_key=""), mail=never, omdb=never)
    mail, omdb = setup.test(Part.MAIL, by="x"), setup.test(Part.OMDB, by="x")
    assert mail == Finding(False, "There is nothing to test until you set SMTP_URL and MAIL_FROM.")
    assert omdb == Finding(False, "There is nothing to test until you set OMDB_API_KEY.")
    assert setup.test(Part.MAIL, by="x") == mail  # nothing was sent, so there is no pause


def test_a_refusal_is_a_finding() -> None:
    def refuse(_: str) -> Finding:
        raise MailRefused("The mail server permanently refuses the sender in MAIL_FROM (550).")

    found = make_setup(mail=refuse).test(Part.MAIL, by="x")
    assert found == Finding(False, "The mail server permanently refuses the sender in MAIL_FROM (550).")


def test_a_service_is_tested_again_only_after_a_pause() -> None:
    setup = make_setup()
    assert setup.test(Part.OMDB, by="x").works
    assert setup.test(Part.MAIL, by="x").works
    for part, pause_s in ((Part.OMDB, PAUSE_S), (Part.MAIL, MAIL_PAUSE_S)):
        with pytest.raises(TooManyAttempts) as refused:
            setup.test(part, by="x")
        assert refused.value.retry_after_s == pause_s
    assert setup.test(Part.PAYPAL, by="x").works


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Serve a set-up without OMDb, and return the ids of the owners who run tests of the keys."""
    asked: list[str] = []

    def keys(owner: str) -> Finding:
        asked.append(owner)
        return Finding(True, "The keys work.")

    setup = make_setup(replace(ALL, omdb_api_key=""), keys=keys)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap_studio, "setup", lambda: setup)
    return asked


@pytest.mark.usefixtures("served")
def test_the_overview_names_settings_and_contains_no_value() -> None:
    status, answer = call(triggers.get_setup, "setup", headers=AS_ADMINISTRATOR)
    assert status == 200
    parts = {part["id"]: part for part in answer["parts"]}
    assert list(parts) == [part.value for part in Part]
    assert parts["omdb"] == {"id": "omdb", "state": "missing", "settings": [{"name": "OMDB_API_KEY", "given": False}]}
    assert parts["paypal"]["state"] == "ready"
    assert SECRET not in str(answer) and "films.example" not in str(answer)


def test_the_test_knows_who_runs_it_and_is_limited(served: list[str]) -> None:
    assert try_part("keys") == (200, {"works": True, "sentence": "The keys work."})
    assert try_part("keys")[0] == 429
    assert try_part("omdb")[1]["works"] is False
    assert try_part("nothing")[0] == 404
    assert call(triggers.try_service, "setup/mail/test", route={"id": "mail"}, headers=AS_OPERATOR)[0] == 200
    assert served == [ADMINISTRATOR.user_id]


def try_part(part: str) -> tuple[int, dict[str, object]]:
    return call(triggers.try_service, f"setup/{part}/test", route={"id": part}, headers=AS_ADMINISTRATOR)
