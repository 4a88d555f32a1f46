"""Viewers choose whether payments are confirmed by email; emails that they may have to act on are always sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions import bootstrap
from functions.accounts import triggers
from functions.accounts.model import EmailChoices
from functions.mail.model import EmailKind
from functions.platform.errors import StoreUnavailable
from functions.platform.viewer import Recipient
from tests.support.account_world import World
from tests.support.accounts import HOME, PASSWORD, make_login
from tests.support.api import call
from tests.support.owners import AS_VIEWER, VIEWER, FakeAccess

NO_PAYMENTS = EmailChoices(payments=False)
OPTIONAL = {EmailKind.PAYMENT_RECEIVED}


@pytest.mark.parametrize("kind", EmailKind)
def test_only_confirmations_of_payments_can_be_declined(kind: EmailKind) -> None:
    world = World()
    viewer = world.member()
    choices = world.accounts.email_choices
    assert choices.recipient_for(viewer.user_id, kind) == Recipient(viewer.email)
    choices.choose(viewer, NO_PAYMENTS)
    assert choices.recipient_for(viewer.user_id, kind) == (None if kind in OPTIONAL else Recipient(viewer.email))
    choices.choose(viewer, EmailChoices())
    assert choices.recipient_for(viewer.user_id, kind) == Recipient(viewer.email)


def test_choice_belongs_to_one_account_and_ends_with_it() -> None:
    world = World()
    viewer, other = world.member(), world.member()
    world.accounts.email_choices.choose(viewer, NO_PAYMENTS)
    assert world.accounts.email_choices.choices_of(other) == EmailChoices()
    world.logins.delete_login(viewer.user_id)
    world.accounts.email_choices.choose(viewer, NO_PAYMENTS)  # by a page that is still open
    assert world.accounts.email_choices.recipient_for(viewer.user_id, EmailKind.PAYMENT_FAILED) is None
    assert world.logins.choices == {}


def test_emails_are_in_the_language_that_was_chosen_last() -> None:
    world = World()
    choices, german = world.accounts.email_choices, replace(HOME, language="de")
    viewer = world.accounts.register("jo@example.org", PASSWORD, german)
    assert world.emails[-1].language == "de"
    world.accounts.log_in(viewer.email, PASSWORD, HOME)  # by a page in a language that has no emails
    assert choices.recipient(viewer) == Recipient(viewer.email, "de")
    choices.use_language(viewer.user_id, "en")
    assert choices.recipient_for(viewer.user_id, EmailKind.PAYMENT_FAILED) == Recipient(viewer.email, "en")
    world.accounts.mail_reset_link(viewer.email)
    assert world.emails[-1].language == "en"
    world.accounts.log_in(viewer.email, PASSWORD, german)
    world.accounts.delete_account(viewer, PASSWORD, HOME)
    assert (world.emails[-1].kind, world.emails[-1].language) == ("account_deleted", "de")
    assert world.logins.languages == {}


def test_a_person_whose_account_is_deleted_by_the_owner_is_told_in_their_language() -> None:
    world = World()
    viewer = world.member()
    world.accounts.email_choices.use_language(viewer.user_id, "de")
    world.accounts.moderation.erase(viewer.user_id, by="operator")
    assert (world.emails[-1].kind, world.emails[-1].language) == ("account_erased", "de")


def test_a_new_administrator_is_invited_in_the_language_of_the_owner() -> None:
    world = World()
    world.accounts.make_administrator("new@example.org", language="de")
    assert (world.emails[-1].kind, world.emails[-1].language) == ("welcome_admin", "de")


def test_unavailable_store_does_not_count_as_a_choice() -> None:
    world = World()
    viewer = world.member()
    world.logins.away = True
    with pytest.raises(StoreUnavailable):
        world.accounts.email_choices.recipient_for(viewer.user_id, EmailKind.PAYMENT_RECEIVED)


def test_functions_answer_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.logins.add_login(make_login(VIEWER.email, user_id=VIEWER.user_id))
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap, "accounts", lambda: world.accounts)
    assert call(triggers.get_email_choices, "me/emails")[0] == 401
    assert call(triggers.get_email_choices, "me/emails", headers=AS_VIEWER) == (200, {"payments": True})
    chosen = call(triggers.set_email_choices, "me/emails", body={"payments": False}, headers=AS_VIEWER)
    assert chosen == (200, {"payments": False})
    assert call(triggers.get_email_choices, "me/emails", headers=AS_VIEWER) == (200, {"payments": False})
    assert call(triggers.set_email_choices, "me/emails", body={"payments": "no"}, headers=AS_VIEWER)[0] == 422
    assert call(triggers.set_email_choices, "me/emails", body={}, headers=AS_VIEWER)[0] == 422
    assert call(triggers.set_language, "me/language", body={"language": "de"})[0] == 401
    assert call(triggers.set_language, "me/language", body={"language": "fr"}, headers=AS_VIEWER)[0] == 422
    assert call(triggers.set_language, "me/language", body={"language": "de"}, headers=AS_VIEWER)[0] == 204
    assert world.logins.languages == {VIEWER.user_id: "de"}
