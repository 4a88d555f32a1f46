/** What the scripts write on a German page: texts, plural forms, numbers, dates, addresses, and sentences of the API. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { useGerman } from "./texts.mjs";

useGerman();
const { deviceName, inLanguage, inOwnLanguage, t, translated, withoutLanguage } = await import("../../../web/js/texts.js");
const { titleAddress, titleIdIn } = await import("../../../web/js/addresses.js");
const { safeNext, withNext } = await import("../../../web/js/account/next.js");
const { moment } = await import("../../../web/js/account/words.js");
const { period, price } = await import("../../../web/js/billing/words.js");
const { addressIn } = await import("../../../web/js/language_choice.js");
const { ask } = await import("../../../web/js/net.js");
const { av1Text, dollarText } = await import("../../../web/js/studio/words.js");
const { bytesText, facts, genreName, languageName, shelfName } = await import("../../../web/js/text.js");

test("texts have the form for their number", () => {
  assert.deepEqual([1, 2, 1234].map((count) => t("films.count", { count })), ["1 Film", "2 Filme", "1.234 Filme"]);
  assert.deepEqual([1, 3].map((interval_count) => period({ interval: "month", interval_count })), ["im Monat", "alle 3 Monate"]);
});

test("numbers, amounts and dates are written as in German", () => {
  assert.equal(bytesText(1.4e9), "1,4 GB");
  assert.equal(price(799, "EUR").replaceAll("\u00a0", " "), "7,99 €");
  assert.equal(dollarText(430_000).replaceAll("\u00a0", " "), "0,43 $");
  assert.equal(dollarText(12_000_000).replaceAll("\u00a0", " "), "12 $");
  const now = new Date(2026, 10, 24, 12, 0);
  assert.equal(moment(new Date(2026, 10, 24, 9, 5).toISOString(), now), "Heute, 09:05");
  assert.equal(moment(new Date(2026, 10, 12, 9, 5).toISOString(), now), "12. November, 09:05");
  assert.equal(languageName("en"), "Englisch");
});

test("genres that are known have a German name", () => {
  assert.deepEqual(["Comedy", "Sci-Fi", "sci-fi", "Mumblecore"].map(genreName), ["Komödie", "Science-Fiction", "Science-Fiction", "Mumblecore"]);
  assert.equal(facts({ year: 2020, genres: ["War", "Drama"] }).at(-1)?.text, "Krieg, Drama");
  assert.equal(shelfName({ id: "genre-war", name: "War" }), "Krieg");
});

test("links lead to pages in German, and addresses to return to have no language", () => {
  assert.equal(titleAddress("a"), "/de/title/a");
  assert.equal(titleIdIn({ pathname: "/de/title/a", search: "" }), "a");
  assert.equal(inLanguage("/de/plans.html"), "/de/plans.html");
  assert.equal(inLanguage("https://www.paypal.com/"), "https://www.paypal.com/");
  assert.equal(withoutLanguage("/design.html"), "/design.html");
  assert.equal(safeNext("/de/title/a?b#c", "https://films.example.org"), "/title/a?b#c");
  assert.equal(safeNext("/de/login.html", "https://films.example.org"), "/");
  assert.equal(safeNext("/de//evil.example", "https://films.example.org"), "/");
  assert.equal(withNext("/login.html", "/de/title/a"), "/de/login.html?next=%2Ftitle%2Fa");
});

test("a page has an address in each language", () => {
  const place = { pathname: "/de/search.html", search: "?q=a", hash: "#said" };
  assert.equal(addressIn(place, { code: "en", first: "en" }), "/search.html?q=a#said");
  assert.equal(addressIn(place, { code: "de", first: "en" }), "/de/search.html?q=a#said");
});

test("sentences of the API are translated with their variable parts, the most specific first", () => {
  assert.equal(translated("The password is wrong."), "Das Passwort stimmt nicht.");
  assert.equal(translated("Also with Lin Zhao"), "Auch mit Lin Zhao");
  assert.equal(translated("Also Drama"), "Ebenfalls Drama");
  assert.equal(translated("The cursor is not one that a page returned; start again without it."), "");
  assert.equal(shelfName({ id: "for-because-a", name: "Because you watched (500) Days" }), "Weil du (500) Days gesehen hast");
});

test("parts of a sentence are translated too, and a text of several sentences is translated sentence by sentence", () => {
  assert.equal(translated("Too many failed attempts. Try again in 3 minutes."), "Das waren zu viele Fehlversuche. Versuch es in 3 Minuten noch einmal.");
  assert.equal(translated("This was tested a moment ago. Try again in 1 second."), "Der letzte Test ist gerade erst gelaufen. Versuch es in einer Sekunde noch einmal.");
  assert.equal(translated("The audio track “Director. A. B.” is empty and was left out."), "Die Tonspur „Director. A. B.“ ist leer und wurde weggelassen.");
  assert.equal(translated("notes.pdf is a document, not a film. Upload the film itself."), "notes.pdf ist ein Dokument und kein Film. Lade den Film selbst hoch.");
  assert.equal(
    inOwnLanguage("12 frames (0.4 %) could not be read and were filled in (0:10). The last 0.5 s are missing from the file."),
    "12 Bilder (0,4 %) waren nicht lesbar und wurden ergänzt (0:10). Der Datei fehlen die letzten 0,5 s.",
  );
  assert.equal(inOwnLanguage("All pictures are encoded, because they are larger than 1080p."), "Alle Bilder werden umgewandelt, weil sie größer als 1080p sind.");
  assert.equal(inOwnLanguage("An audio track (English (comments)) cannot be decoded and was left out."), "Eine Tonspur (English (comments)) wurde weggelassen: nicht lesbar.");
  assert.equal(
    inOwnLanguage("2 subtitle tracks (German, no. 4 in the file) consist of images instead of text and were left out."),
    "2 Untertitelspuren (German, no. 4 in the file) wurden weggelassen: Bilder statt Text.",
  );
  assert.equal(
    inOwnLanguage("The sound ends at 4 s of 90 s. If this happens again, the file is cut off or damaged: upload it again."),
    "Der Ton endet nach 4 von 90 s. Wenn das noch einmal passiert, ist die Datei unvollständig oder beschädigt: Lade sie erneut hoch.",
  );
  assert.equal(inOwnLanguage("It can be watched once the upload is complete, because the index is at the end of the file."), "Du kannst ihn ansehen, sobald er ganz hochgeladen ist.");
  assert.equal(av1Text({ status: "abandoned", percent: 0, size: 0, reason: "An unexpected error stopped the encode." }), "Nicht in AV1: Ein unerwarteter Fehler hat die Umwandlung gestoppt.");
  assert.equal(inOwnLanguage("A sentence of a later version. Its title was withdrawn."), "A sentence of a later version. Der Titel wurde zurückgezogen.");
  assert.equal(inOwnLanguage(""), "");
});

test("owners read what PayPal says against a request in PayPal's words", () => {
  assert.equal(translated("PayPal refuses (HTTP 422): UNPROCESSABLE_ENTITY."), "PayPal lehnt das ab (HTTP 422): UNPROCESSABLE_ENTITY.");
});

test("a sentence is translated as a whole or not at all", () => {
  assert.equal(translated("Too many wrong PINs. Try again in 15 minutes."), "Das waren zu viele falsche PINs. Versuch es in 15 Minuten noch einmal.");
  assert.equal(translated("“Heidi” has just arrived and is being prepared. Try again in a few seconds."), "„Heidi“ ist gerade erst angekommen und wird vorbereitet. Versuch es in ein paar Sekunden noch einmal.");
  assert.equal(translated("A sentence of a later version. Try again in 3 minutes."), "");
  assert.equal(translated("Too many failed attempts. Try again in a later version."), "");
});

test("devices have German names", () => {
  const names = ["Firefox on Linux", "Safari on a television", "a Python script", "an unknown browser on Windows", "curl"];
  assert.deepEqual(names.map(deviceName), ["Firefox auf Linux", "Safari auf einem Fernseher", "ein Python-Skript", "ein unbekannter Browser auf Windows", "curl"]);
  assert.equal(
    translated("Playback here was stopped from another device (Chrome on a television)."),
    "Die Wiedergabe wurde von einem anderen Gerät aus gestoppt (Chrome auf einem Fernseher).",
  );
});

test("numbers and amounts inside a sentence are written as in German; names, levels and versions stay as they are", () => {
  assert.equal(
    translated("film.mkv shows 1,200 frames per second; the limit is 1,000. Export it again at 24 to 60 frames per second."),
    "film.mkv zeigt 1.200 Bilder pro Sekunde; möglich sind 1.000. Exportier den Film mit 24 bis 60 Bildern pro Sekunde.",
  );
  assert.match(translated("film.mkv is 5.3 GB; MAX_UPLOAD_GB allows 1200 GB. Upload a smaller file, or raise the setting."), /^film\.mkv hat 5,3 GB; MAX_UPLOAD_GB erlaubt 1200 GB\./);
  assert.equal(
    translated("Paused: encoding this film costs about $1,234.50, and $0.20 of this month's $1.00 is left. Raise the limit to encode it.").replaceAll("\u00a0", " "),
    "Angehalten: Diesen Film umzuwandeln kostet etwa 1.234,50 $, und vom Monatslimit von 1,00 $ sind noch 0,20 $ übrig. Heb das Limit an, um ihn umzuwandeln.",
  );
  assert.equal(translated("their level is 5.1, above 4.2"), "ihr Level mit 5.1 über 4.2 liegt");
  assert.equal(translated("Because you watched 1,000"), "Weil du 1,000 gesehen hast");
});

test("an error whose sentence has no translation is described by its code, or else shown in English", async () => {
  const failing = (/** @type {object} */ body) => async () => new Response(JSON.stringify(body), { status: 503 });
  const told = async (/** @type {object} */ body) => ask("/x", {}, failing(body)).catch((/** @type {Error} */ error) => error.message);
  assert.equal(await told({ error: "store_unavailable", detail: "Redis does not answer." }), "Das hat gerade nicht geklappt. Versuch es gleich noch einmal.");
  assert.equal(await told({ error: "malformed", detail: "`year`: Expected an int." }), "Expected an int.");
  assert.equal(await told({}), "Bei uns ist etwas schiefgegangen (503). Versuch es gleich noch einmal.");
});
