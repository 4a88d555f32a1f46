"""The routes of second factors: every answer is documented, and no input of a stranger causes a failure."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from webauthn import base64url_to_bytes

from functions import bootstrap
from functions.accounts import factor_triggers, triggers
from functions.accounts.access import AccountAccess
from functions.accounts.admin_auth import AdminAuth
from functions.accounts.passkeys import Passkeys
from functions.platform.errors import Malformed
from functions.platform.settings import Settings
from tests.support.account_world import World
from tests.support.accounts import HOME, PASSWORD, SITE
from tests.support.api import call
from tests.support.authenticators import AuthenticatorApp, SoftPasskey
from tests.support.owners import AS_OPERATOR, OPERATOR_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.platform.viewer import Viewer

FROM_HOME = {"X-Forwarded-For": f"192.0.2.66, {HOME.ip}:50311"}
RUBBISH: tuple[Any, ...] = (None, 7, "", "x", "\ud800", "A" * 500, [], {}, ["x"], {"id": "x"}, True, -1, "AAAA", "e30")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(bootstrap.resources, "settings", lambda: Settings(storage="", mongo_url=""))
    monkeypatch.setattr(bootstrap, "accounts", lambda: made.accounts)
    access = AccountAccess(made.accounts.session, AdminAuth(OPERATOR_KEY, made.accounts.administrator))
    monkeypatch.setattr(bootstrap, "access", lambda: access)
    return made


def ask(function: Any, address: str, session: str = "", /, **body: object) -> tuple[int, Any]:
    headers = {**FROM_HOME, "Authorization": f"Bearer {session}"} if session else FROM_HOME
    return call(function, address, body=body, route={"id": address.rpartition("/")[2]}, headers=headers)


def log_in(viewer: Viewer) -> tuple[int, Any]:
    return ask(triggers.log_in, "sessions", email=viewer.email, password=PASSWORD)


def permit(session: str, answer: Callable[[Any], dict[str, Any]] | None = None) -> str:
    status, asked = ask(factor_triggers.request_factor_permit, "me/second-factors/permits", session, password=PASSWORD)
    assert status == 200
    if asked["check"]:
        assert answer
        given = {"ticket": asked["check"]["ticket"], **answer(asked["check"])}
        status, asked = ask(factor_triggers.confirm_factor_permit, "me/second-factors/permits", session, **given)
        assert status == 200, asked
    return str(asked["permit"])


def test_the_life_of_second_factors(world: World) -> None:
    viewer = world.confirmed_member()
    session = log_in(viewer)[1]
    assert (session["step"], session["factor"]) == ("done", "none")
    token = session["token"]
    status, setup = ask(
        factor_triggers.begin_authenticator, "me/second-factors/authenticators", token, permit=permit(token)
    )
    assert status == 200 and setup["uri"].startswith("otpauth://totp/") and set("".join(setup["qr"])) == {"0", "1"}
    app = AuthenticatorApp(setup["key"])
    wrong = {"ticket": setup["ticket"], "code": "000000", "name": "Phone"}
    status, refused = ask(factor_triggers.add_authenticator, "me/second-factors/authenticators", token, **wrong)
    assert (status, refused["error"]) == (401, "wrong_second_factor")
    right = {**wrong, "code": app.code(world.clock())}
    status, changed = ask(factor_triggers.add_authenticator, "me/second-factors/authenticators", token, **right)
    assert status == 200 and len(changed["recovery_codes"]) == 10 and changed["session"]["factor"] == "totp"
    assert ask(triggers.get_me, "me", token)[0] == 401

    world.clock.forward(seconds=60)
    status, check = log_in(viewer)
    assert (status, check["step"], check["kinds"]) == (200, "second_factor", ["totp", "recovery_code"])
    answer = {"ticket": check["ticket"], "code": app.code(world.clock())}
    status, session = ask(triggers.log_in_with_factor, "sessions/second-factor", **answer)
    assert (status, session["factor"]) == (200, "totp")
    status, again = ask(triggers.log_in_with_factor, "sessions/second-factor", **answer)
    assert (status, again["error"]) == (401, "wrong_second_factor")
    token = session["token"]

    key, name = SoftPasskey(SITE), {"name": "Laptop"}
    code = {"code": changed["recovery_codes"][0]}
    status, creation = ask(
        factor_triggers.begin_passkey, "me/second-factors/passkeys", token, permit=permit(token, lambda _: code)
    )
    assert status == 200
    made = {"ticket": creation["ticket"], "passkey": key.create(creation["options"]), **name}
    status, changed = ask(factor_triggers.add_passkey, "me/second-factors/passkeys", token, **made)
    assert (status, changed["recovery_codes"], changed["session"]["factor"]) == (200, [], "passkey")
    token = changed["session"]["token"]
    status, found = ask(factor_triggers.list_second_factors, "me/second-factors", token)
    assert [each["name"] for each in found["factors"]] == ["Phone", "Laptop"]
    assert (status, found["recovery_codes"], found["required"]) == (200, 9, False)
    use = permit(token, lambda check: {"passkey": key.use(check["passkey_options"])})
    status, codes = ask(factor_triggers.renew_recovery_codes, "me/recovery-codes", token, permit=use)
    assert (status, len(codes["recovery_codes"])) == (200, 10)
    address = f"me/second-factors/{found['factors'][0]['id']}"
    status, changed = ask(factor_triggers.remove_second_factor, address, token, permit=use)
    assert (status, changed["session"]["factor"]) == (200, "passkey")
    address = f"me/second-factors/{'0' * 32}"
    token = changed["session"]["token"]
    use = permit(token, lambda check: {"passkey": key.use(check["passkey_options"])})
    assert ask(factor_triggers.remove_second_factor, address, token, permit=use)[0] == 404

    email = {"email": viewer.email}
    reset = factor_triggers.reset_second_factors
    expected = {**email, "user_id": viewer.user_id, "removed": 1}
    assert call(reset, "second-factor-resets", body=email, headers=AS_OPERATOR) == (200, expected)
    assert log_in(viewer)[1]["step"] == "done"


def test_the_owners_routes_are_closed_to_an_administrator_without_a_second_factor(world: World) -> None:
    viewer = world.confirmed_member()
    world.logins.make_administrator(viewer.user_id)
    token = log_in(viewer)[1]["token"]
    status, refused = ask(factor_triggers.reset_second_factors, "second-factor-resets", token, email=viewer.email)
    assert (status, refused["error"]) == (403, "second_factor_required")
    token = world.protect(world.accounts.viewer(token))[1].token
    status, refused = ask(factor_triggers.reset_second_factors, "second-factor-resets", token, email=viewer.email)
    assert (status, refused["error"]) == (403, "forbidden"), "the reset needs the operator's key"


def test_no_answer_of_a_passkey_causes_a_failure(world: World) -> None:
    viewer = world.confirmed_member()
    token, key, chance = log_in(viewer)[1]["token"], SoftPasskey(SITE), random.Random(30)
    _, creation = ask(factor_triggers.begin_passkey, "me/second-factors/passkeys", token, permit=permit(token))
    genuine = key.create(creation["options"])
    challenge = base64url_to_bytes(creation["options"]["challenge"])
    for answer in damaged(genuine, chance, 500):
        with suppress(Malformed):  # a damaged key may still be a key, because nothing attests it
            Passkeys(SITE).verify_creation(answer, challenge)
    given = {"ticket": creation["ticket"], "passkey": genuine}
    assert ask(factor_triggers.add_passkey, "me/second-factors/passkeys", token, **given)[0] == 200
    for answer in damaged(key.use({"rpId": "films.example.org", "challenge": "eA"}), chance, 150):
        world.clock.forward(seconds=10)
        check = log_in(viewer)[1]
        status = ask(triggers.log_in_with_factor, "sessions/second-factor", ticket=check["ticket"], passkey=answer)[0]
        assert status in (401, 422)  # 422 for a body that is not JSON


def damaged(answer: dict[str, Any], chance: random.Random, number: int) -> list[dict[str, Any]]:
    """Return copies of an answer; in each, one field is missing, has another type, is cut off or has another byte."""
    made = []
    for _ in range(number):
        copy = {**answer, "response": dict(answer["response"])}
        part = chance.choice((copy, copy["response"], copy["response"]))
        name = chance.choice([each for each in part if each not in ("id", "clientExtensionResults", "type")])
        change = chance.randrange(4)
        if change == 0:
            del part[name]
        elif change == 1 or not isinstance(part[name], str):
            part[name] = chance.choice(RUBBISH)
        elif change == 2:
            part[name] = part[name][: chance.randrange(len(part[name]))]
        else:
            at = chance.randrange(len(part[name]) - 4)
            part[name] = part[name][:at] + chance.choice("ABCx-_") * 3 + part[name][at + 3 :]
            if part[name] == answer.get(name, answer["response"].get(name)):
                part[name] = "AAAA"
        made.append(copy)
    return made
