"""The texts of emails in German."""

from __future__ import annotations

from functions.mail.model import EmailKind
from functions.mail.texts import PRODUCT, EmailText, EmailTexts

LINK_EXPIRES = "Der Link funktioniert nur einmal und läuft nach 30 Minuten ab."
NOT_YOU = (
    "Das warst nicht du? Dann setz dein Passwort gleich auf der Login-Seite zurück. Damit werden alle anderen "
    "ausgeloggt."
)
ALL_WELL = "Das warst du? Dann ist alles in Ordnung."

GERMAN = EmailTexts(
    automated=f"Diese Nachricht hat {PRODUCT} automatisch verschickt.",
    emails={
        EmailKind.CONFIRM: EmailText(
            f"Bestätige deine E-Mail-Adresse für {PRODUCT}",
            (
                f"Willkommen bei {PRODUCT}! Mit dieser E-Mail-Adresse wurde gerade ein Konto angelegt.",
                "Bestätige bitte, dass sie dir gehört:",
            ),
            "Adresse bestätigen",
            (
                f"{LINK_EXPIRES} Einen neuen bekommst du auf deiner Kontoseite.",
                "Du hast kein Konto angelegt? Dann musst du nichts tun: Die Adresse bleibt unbestätigt. Wenn du das "
                "Konto übernehmen möchtest, setz auf der Login-Seite sein Passwort zurück.",
            ),
        ),
        EmailKind.RESET: EmailText(
            f"Neues Passwort für {PRODUCT}",
            (
                f"Jemand möchte das Passwort deines Kontos bei {PRODUCT} zurücksetzen – vermutlich du.",
                "Hier kannst du ein neues wählen:",
            ),
            "Neues Passwort wählen",
            (
                f"{LINK_EXPIRES} Einen neuen bekommst du auf der Login-Seite.",
                "Das warst nicht du? Dann musst du nichts tun: Dein Passwort bleibt, wie es ist. Gib den Link nicht "
                "weiter, denn damit kann jeder dein Passwort ändern.",
            ),
        ),
        EmailKind.WELCOME_ADMIN: EmailText(
            f"Du verwaltest jetzt {PRODUCT}",
            (
                f"Du bist jetzt Administrator von {PRODUCT}.",
                "Wähle ein Passwort, und los geht’s:",
            ),
            "Passwort wählen",
            (
                f"{LINK_EXPIRES} Einen neuen bekommst du auf der Login-Seite.",
                "Damit hast du nicht gerechnet? Dann ignoriere diese E-Mail, und sag dem Betreiber Bescheid. Gib "
                "den Link nicht weiter, denn damit kann jeder dein Passwort wählen.",
            ),
        ),
        EmailKind.PASSWORD_CHANGED: EmailText(
            f"Dein Passwort für {PRODUCT} wurde geändert",
            (
                f"Das Passwort deines Kontos bei {PRODUCT} wurde gerade geändert. Alle anderen Geräte sind jetzt "
                "ausgeloggt.",
                ALL_WELL,
                NOT_YOU,
            ),
        ),
        EmailKind.SECOND_FACTOR_ADDED: EmailText(
            f"Dein Konto bei {PRODUCT} hat jetzt einen zweiten Schritt",
            (
                f"Zu deinem Konto bei {PRODUCT} kam gerade eine Authenticator-App oder ein Passkey hinzu. Alle anderen "
                "Geräte sind jetzt ausgeloggt. Ab sofort brauchst du zum Einloggen dein Passwort und diesen zweiten "
                "Schritt.",
                "Das warst du? Dann heb deine Wiederherstellungscodes gut auf. Mehr musst du nicht tun.",
                "Das warst nicht du? Dann kennt jemand dein Passwort. Setz es gleich auf der Login-Seite zurück, und "
                f"wende dich an den Betreiber von {PRODUCT}: Er kann den zweiten Schritt entfernen.",
            ),
        ),
        EmailKind.SECOND_FACTOR_REMOVED: EmailText(
            f"Aus deinem Konto bei {PRODUCT} wurde ein zweiter Schritt entfernt",
            (
                f"Aus deinem Konto bei {PRODUCT} wurde gerade eine Authenticator-App oder ein Passkey entfernt. Alle "
                "anderen Geräte sind jetzt ausgeloggt.",
                "Das warst du, oder du hast darum gebeten? Dann ist alles in Ordnung.",
                NOT_YOU,
            ),
        ),
        EmailKind.RECOVERY_CODES_RENEWED: EmailText(
            f"Neue Wiederherstellungscodes für {PRODUCT}",
            (
                f"Für dein Konto bei {PRODUCT} gibt es neue Wiederherstellungscodes. Die alten gelten nicht mehr.",
                ALL_WELL,
                NOT_YOU,
            ),
        ),
        EmailKind.ACCOUNT_DELETED: EmailText(
            f"Dein Konto bei {PRODUCT} wurde gelöscht",
            (
                f"Dein Konto bei {PRODUCT} wurde samt Profilen, Verlauf, Listen und Bewertungen gelöscht. "
                "Zahlungsdaten bewahren wir ohne deinen Namen auf.",
                "Das warst du? Dann ist alles erledigt. Du bist jederzeit wieder willkommen.",
                "Das warst nicht du? Dann kennt jemand dein Passwort: Ändere es überall, wo du es sonst noch benutzt.",
            ),
        ),
        EmailKind.PAYMENT_RECEIVED: EmailText(
            f"Deine Zahlung an {PRODUCT} ist da",
            (
                f"Vielen Dank! PayPal hat den Betrag für dein Abo bei {PRODUCT} abgebucht.",
                "Den Beleg findest du auf deiner Kontoseite; dort kannst du ihn als PDF speichern.",
                "Dort kannst du auch jederzeit kündigen und bis zum Ende der bezahlten Zeit weiterschauen.",
                "Damit hast du nicht gerechnet? Dann kündige auf deiner Kontoseite, oder wende dich an den Betreiber "
                f"von {PRODUCT}.",
            ),
        ),
        EmailKind.PAYMENT_FAILED: EmailText(
            f"Eine Zahlung an {PRODUCT} hat nicht geklappt",
            (
                f"PayPal konnte den Betrag für dein Abo bei {PRODUCT} nicht abbuchen.",
                "Bis zum Ende der bezahlten Zeit kannst du weiterschauen. Damit es danach weitergeht, begleiche die "
                "Zahlung bei PayPal; den Link findest du auf deiner Kontoseite.",
                "Du möchtest nicht weitermachen? Dann kündige auf deiner Kontoseite. Es wird nichts mehr abgebucht.",
                "Damit hast du nicht gerechnet? Warum die Zahlung nicht geklappt hat, siehst du bei PayPal; der "
                f"Betreiber von {PRODUCT} erfährt es nicht.",
            ),
        ),
        EmailKind.ENCODING_PAUSED: EmailText(
            f"{PRODUCT}: Das Monatslimit ist erreicht, neue Filme warten",
            (
                "Alle hochgeladenen Filme umzuwandeln, würde mehr kosten, als dein Monatslimit erlaubt.",
                "Es geht nichts verloren: Anfang des nächsten Monats geht es weiter, oder sobald du das Limit im "
                "Studio erhöhst. Filme, die schon veröffentlicht sind, laufen weiter.",
                "Welche Filme warten und was sie kosten, siehst du im Studio.",
                "Damit hast du nicht gerechnet? Vielleicht hat jemand anderes aus dem Team das Limit gesetzt oder "
                "viele Filme hochgeladen.",
            ),
        ),
        EmailKind.ACCOUNT_ERASED: EmailText(
            f"Dein Konto bei {PRODUCT} wurde gelöscht",
            (
                f"Der Betreiber von {PRODUCT} hat dein Konto samt Profilen, Verlauf, Listen und Bewertungen gelöscht. "
                "Falls du ein Abo hattest, ist es gekündigt. Zahlungsdaten werden ohne deinen Namen aufbewahrt.",
                "Du hast darum gebeten? Dann ist alles erledigt.",
                f"Du hast nicht darum gebeten? Dann wende dich an den Betreiber von {PRODUCT}.",
            ),
        ),
        EmailKind.TEST: EmailText(
            f"{PRODUCT} kann E-Mails senden",
            (
                f"Das ist die Test-E-Mail aus dem Studio von {PRODUCT}. Sie ist angekommen, also klappt der Versand.",
                "Du hast keinen Test gestartet? Dann war es jemand anderes aus dem Team. Du musst nichts tun.",
            ),
        ),
    },
)
