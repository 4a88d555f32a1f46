"""The texts of emails in English."""

from __future__ import annotations

from functions.mail.model import EmailKind
from functions.mail.texts import PRODUCT, EmailText, EmailTexts

LINK_EXPIRES = "The link works once and expires after 30 minutes."

ENGLISH = EmailTexts(
    automated=f"This is an automated message from {PRODUCT}.",
    emails={
        EmailKind.CONFIRM: EmailText(
            f"Confirm your email address for {PRODUCT}",
            (
                f"Welcome to {PRODUCT}. An account was created with this email address.",
                "Please confirm that the address is yours:",
            ),
            "Confirm my address",
            (
                f"{LINK_EXPIRES} You can request a new one on your account page.",
                "Didn't create this account? You can ignore this email: the address stays unconfirmed. "
                "To take over the account, reset its password on the login page.",
            ),
        ),
        EmailKind.RESET: EmailText(
            f"Reset your {PRODUCT} password",
            (
                f"We received a request to reset the password of your {PRODUCT} account.",
                "Choose a new password here:",
            ),
            "Choose a new password",
            (
                f"{LINK_EXPIRES} You can request a new one on the login page.",
                "Didn't request this? You can ignore this email: your password stays the same. "
                "Don't share the link; anyone who has it can change your password.",
            ),
        ),
        EmailKind.WELCOME_ADMIN: EmailText(
            f"You are now an administrator of {PRODUCT}",
            (
                f"The owner of {PRODUCT} made you an administrator.",
                "Choose your password to get started:",
            ),
            "Choose a password",
            (
                f"{LINK_EXPIRES} You can request a new one on the login page.",
                "Weren't expecting this? Ignore this email and let the owner know. "
                "Don't share the link; anyone who has it can choose your password.",
            ),
        ),
        EmailKind.PASSWORD_CHANGED: EmailText(
            f"Your {PRODUCT} password was changed",
            (
                f"The password of your {PRODUCT} account was just changed, and all other devices were logged out.",
                "If this was you, there is nothing to do.",
                "If it wasn't, reset your password on the login page right away. That logs everybody else out.",
            ),
        ),
        EmailKind.SECOND_FACTOR_ADDED: EmailText(
            f"A second step was added to your {PRODUCT} account",
            (
                f"An authenticator app or a passkey was just added to your {PRODUCT} account, and all other devices "
                "were logged out. From now on, you log in with your password and this second step.",
                "If this was you, keep your recovery codes in a safe place. There is nothing else to do.",
                "If it wasn't, somebody knows your password. Reset it on the login page right away, and contact the "
                f"owner of {PRODUCT}, who can remove the second step.",
            ),
        ),
        EmailKind.SECOND_FACTOR_REMOVED: EmailText(
            f"A second step was removed from your {PRODUCT} account",
            (
                f"An authenticator app or a passkey was just removed from your {PRODUCT} account, and all other "
                "devices were logged out.",
                "If this was you, or if you asked for it, there is nothing to do.",
                "If it wasn't, reset your password on the login page right away. That logs everybody else out.",
            ),
        ),
        EmailKind.RECOVERY_CODES_RENEWED: EmailText(
            f"New recovery codes for your {PRODUCT} account",
            (
                f"New recovery codes were just created for your {PRODUCT} account. The old ones no longer work.",
                "If this was you, there is nothing to do.",
                "If it wasn't, reset your password on the login page right away. That logs everybody else out.",
            ),
        ),
        EmailKind.ACCOUNT_DELETED: EmailText(
            f"Your {PRODUCT} account was deleted",
            (
                f"Your {PRODUCT} account was deleted, with its profiles, history, lists and ratings. We keep records "
                "of your payments, but without your name.",
                "If this was you, there is nothing to do. You are welcome to come back at any time.",
                "If it wasn't, somebody knows your password: change it everywhere else you use it.",
            ),
        ),
        EmailKind.PAYMENT_RECEIVED: EmailText(
            f"Your payment to {PRODUCT} was received",
            (
                f"Thank you. PayPal has taken the payment for your {PRODUCT} subscription.",
                "The receipt is on your account page, where you can save it as a PDF.",
                "You can cancel on the same page at any time, and still watch until the end of the time you paid for.",
                f"Weren't expecting this? Cancel on your account page, or contact the owner of {PRODUCT}.",
            ),
        ),
        EmailKind.PAYMENT_FAILED: EmailText(
            f"A payment to {PRODUCT} failed",
            (
                f"PayPal could not take the payment for your {PRODUCT} subscription.",
                "You can watch until the end of the time you paid for. To keep watching after that, settle the payment "
                "with PayPal; your account page has the link.",
                "Don't want to continue? Cancel on your account page, and you won't be charged again.",
                f"Weren't expecting this? PayPal shows why the payment failed; the owner of {PRODUCT} cannot see it.",
            ),
        ),
        EmailKind.ENCODING_PAUSED: EmailText(
            f"{PRODUCT}: encoding is paused, because the monthly limit is reached",
            (
                "Encoding all uploaded films would cost more than your monthly limit.",
                "Nothing is lost: the films continue at the beginning of next month, or as soon as you raise the limit "
                "in the Studio. Films that are already published can still be watched.",
                "The Studio shows which films are waiting and what they cost.",
                "Weren't expecting this? Another administrator may have set the limit, or uploaded many films.",
            ),
        ),
        EmailKind.ACCOUNT_ERASED: EmailText(
            f"Your {PRODUCT} account was deleted",
            (
                f"The owner of {PRODUCT} deleted your account, with its profiles, history, lists and ratings, and "
                "cancelled your subscription if you had one. Records of your payments are kept without your name.",
                "If you asked for this, there is nothing to do.",
                f"Didn't request this? Contact the owner of {PRODUCT}.",
            ),
        ),
        EmailKind.TEST: EmailText(
            f"{PRODUCT} can send email",
            (
                f"This is the test email that you requested in the Studio of {PRODUCT}. It arrived, so email works.",
                "Didn't request this? Another administrator may be testing. There is nothing to do.",
            ),
        ),
    },
)
