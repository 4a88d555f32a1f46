import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../../web/js/studio/kinds.js";
import { amountFault, amountOf } from "../../../web/js/studio/limit.js";
import { grantEntry, subscriptionEntry } from "../../../web/js/studio/people.js";
import { tabAfter } from "../../../web/js/studio/studio.js";
import { linkOf, nameOf, titleFacts } from "../../../web/js/studio/titles.js";
import * as words from "../../../web/js/studio/words.js";
import { bytesText } from "../../../web/js/text.js";

test("sizes and progress are readable", () => {
  assert.deepEqual([0, 999, 1000, 1_440_000, 99_960_000, 2.5e9, 999_600].map(bytesText), ["0 bytes", "999 bytes", "1 kB", "1.4 MB", "100 MB", "2.5 GB", "1 MB"]);
  assert.equal(words.sendingText({ sent: 5e8, size: 2e9, rate: 1.25e7 }), "25 % of 2 GB, 13 MB/s, about 2 minutes left");
  assert.equal(words.sendingText({ sent: 0, size: 10, rate: 0 }), "0 % of 10 bytes");
  assert.equal(words.sendingText({ sent: 10, size: 10, rate: 1e6 }), "100 % of 10 bytes, 1.0 MB/s");
});

test("files that belong to a film are sent before it, one at a time", () => {
  const film = { kind: "film", state: "waiting" };
  const subtitles = { kind: "subtitles", state: "waiting" };
  assert.equal(words.nextUpload([film, subtitles]), subtitles);
  assert.equal(words.nextUpload([film, { ...subtitles, state: "asking" }]), null);
  assert.equal(words.nextUpload([film, { ...subtitles, state: "failed" }]), film);
  assert.equal(words.nextUpload([film, { kind: "film", state: "sending" }]), null);
  assert.equal(words.nextUpload([{ ...film, state: "confirm" }, film]), film);
  assert.equal(words.nextUpload([]), null);
});

test("subtitles are described by the language and the purpose in their name", () => {
  const described = ["film.srt", "film.pt_BR.srt", "film.en.forced.srt", "The.Big.Film.en.hi.vtt", "film.hi.srt", "film.2008.srt", "film.de.ass", "film.SSA"];
  assert.deepEqual(described.map((name) => kindOf(name).text), ["Subtitles", "Subtitles, pt_BR", "Subtitles, en, forced", "Subtitles, en, hi", "Subtitles, hi", "Subtitles", "Subtitles, de", "Subtitles"]);
});

test("before a film is replaced, the question names the existing film", () => {
  assert.match(words.confirmText(null), /^A film with this name already exists\. If you replace it/);
  assert.match(words.confirmText("a/old.flv"), /^This title already has the film old\.flv\. .*To keep both, rename your file\.$/);
});

test("an encode shows its state, and only the newest of a title can be retried or watched", () => {
  const job = (status, more = {}) => ({ title_id: "a", title_name: "A", status, percent: 34.4, uploaded_percent: null, eta_s: 125, manifest_url: null, verification: null, verifying: false, ...more });
  assert.equal(words.jobText(job("encoding")), "Encoding, 34 %, about 2 minutes left");
  assert.equal(words.jobText(job("encoding", { eta_s: null })), "Encoding, 34 %");
  assert.equal(words.jobText(job("queued")), "Waiting for an encoder");
  const jobs = [job("ready", { manifest_url: "m" }), job("failed"), job("failed", { title_id: "b", manifest_url: "m" }), job("encoding", { title_id: "c", manifest_url: "m" })];
  assert.deepEqual(words.offers(jobs).map(({ retry, watch }) => [retry, watch]), [[false, true], [false, false], [true, false], [false, true]]);
  assert.deepEqual(words.offers([job("failed", { title_name: null }), job("ready", { title_name: null, manifest_url: "m" })]).map(({ retry, watch }) => [retry, watch]), [[false, false], [false, false]]);
  const trailers = [["encoding", "sea"], ["ready", "sea"], ["ready", ""], ["ready", null]].map(([status, trailer_of], index) => job(status, { title_id: `t${index}`, manifest_url: "m", trailer_of }));
  assert.deepEqual(words.offers(trailers).map(({ watch }) => watch), [false, true, false, true]);
  assert.equal(words.countText(jobs), "1 in progress, 2 failed, 1 ready");
  assert.equal(words.countText([]), "");
});

test("an upload that is still running shows how much has arrived, and cannot be retried", () => {
  const job = { title_id: "a", title_name: "A", status: "receiving", percent: 0, uploaded_percent: 41.8, eta_s: null, manifest_url: null, verification: null, verifying: false, reason: null, fault: null, updated_at: "2026-11-24T12:00:00Z" };
  assert.equal(words.jobText(job), "Uploading, 41 %");
  const after = (/** @type {number} */ minutes) => words.troubleText(job, Date.parse(job.updated_at) + minutes * 60_000);
  assert.equal(after(50), "");
  assert.match(after(70), /To continue the upload, choose the same file again\.$/);
  const retries = [{}, { status: "failed" }, { status: "failed", uploaded_percent: null }].map((more) => words.offers([{ ...job, ...more }])[0].retry);
  assert.deepEqual(retries, [false, false, true]);
});

test("a film that waits because of the monthly limit is shown as paused, not as stuck", () => {
  const paused = "Paused: this month's limit of $20.00 for encoding is reached.";
  const job = { status: "encoding", percent: 34, uploaded_percent: null, eta_s: null, verification: null, reason: null, fault: null, updated_at: "2026-11-01T00:00:00Z", paused };
  assert.equal(words.jobText(job), "Paused, 34 %");
  assert.equal(words.troubleText(job, new Date("2026-11-20T00:00:00Z").getTime()), paused);
  assert.equal(words.jobText({ ...job, status: "queued" }), "Paused");
});

test("an encode shows its estimated cost, and later its actual cost", () => {
  const cost = { estimate_microusd: 432_000, encode_microusd: 12_000, storage_microusd: null };
  assert.equal(words.costText({ status: "encoding", cost }), "about $0.43 to encode");
  assert.equal(words.costText({ status: "queued", cost: { estimate_microusd: null, encode_microusd: 0, storage_microusd: null } }), "");
  assert.equal(words.costText({ status: "ready", cost: { ...cost, encode_microusd: 412_300, storage_microusd: 91_000 } }), "$0.41 to encode, $0.09 a month to store");
  assert.equal(words.costText({ status: "failed", cost }), "$0.01 to encode");
  assert.equal(words.costText({ status: "ready", cost: { ...cost, storage_microusd: 20 } }), "$0.01 to encode, under 1 cent a month to store");
  assert.equal(words.costText({ status: "ready" }), "");
});

test("a receipt shows the result of an encode, and where it is worst", () => {
  const rendition = { name: "v1080", width: 1920, height: 1080, size: 900_000_000, mean_vmaf: 93.6, worst_vmaf: 86.2, worst_at_s: 724 };
  const unmeasured = { name: "v720", width: 1280, height: 720, size: 300_000_000, mean_vmaf: null, worst_vmaf: null, worst_at_s: null };
  const receipt = { renditions: [rendition, unmeasured], size: 1_200_000_000, saved: 1_000_000_000 };
  assert.equal(words.receiptText(receipt), "1.2 GB for 2 picture sizes, 45 % less than at full bitrate. Quality 94 of 100.");
  assert.equal(words.receiptText({ renditions: [unmeasured], size: 300_000_000, saved: -10 }), "300 MB for 1 picture size.");
  assert.equal(words.receiptText(null), "");
  assert.deepEqual(words.receiptRows(receipt), [["1920 × 1080", "900 MB", "94", "86 at 12:04"], ["1280 × 720", "300 MB", "not measured", ""]]);
});

test("a receipt says how loud each track was and what was changed", () => {
  const track = { label: "English", measured_lufs: -27.2, peak_dbtp: -3, gain_db: 1.8 };
  const receipt = { renditions: [], size: 0, saved: 0, sounds: [track, { ...track, label: "German", gain_db: -4 }, { ...track, gain_db: 0 }] };
  assert.deepEqual(words.soundTexts(receipt), [
    "English: -27.2 LUFS, peaks of -3.0 dB; 1.8 dB louder now.",
    "German: -27.2 LUFS, peaks of -3.0 dB; 4.0 dB quieter now.",
    "English: -27.2 LUFS, peaks of -3.0 dB; unchanged.",
  ]);
  assert.deepEqual(words.soundTexts({ renditions: [], size: 0, saved: 0 }), []);
});

test("a film that is also encoded in AV1 says so", () => {
  const av1 = { reason: "The upload is gone.", percent: 42.9, size: 300_000_000 };
  assert.equal(words.av1Text({ ...av1, status: "encoding" }), "Also encoding in AV1, 42 %.");
  assert.equal(words.av1Text({ ...av1, status: "complete" }), "Also in AV1, which saves data: 300 MB.");
  assert.equal(words.av1Text({ ...av1, status: "abandoned" }), "Not in AV1: The upload is gone.");
  assert.equal(words.av1Text(null), "");
});

test("a film with automatic captions says so, and what hinders them", () => {
  const found = { language: "en", cues: 12, url: "https://storage.invalid/t0.vtt", reason: null };
  assert.equal(words.captionsText({ ...found, status: "complete" }), "With automatic captions in English. Check them, because nobody else has.");
  assert.equal(words.captionsText({ ...found, status: "complete", cues: 0, url: null }), "No automatic captions, because nothing is said.");
  assert.equal(words.captionsText({ ...found, status: "encoding" }), "Automatic captions are being made.");
  assert.equal(words.captionsText({ ...found, status: "encoding", reason: "The encoder lacks a model." }), "The encoder lacks a model.");
  assert.equal(words.captionsText({ ...found, status: "abandoned", reason: "The sound is gone." }), "No automatic captions: The sound is gone.");
  assert.equal(words.captionsText(null), "");
});

test("picture sizes that are made on demand say what they save, or how far they are", () => {
  const found = { renditions: ["v540", "v234"], status: null, reason: null, percent: 42.9, size: 300_000_000, saved_size: 200_000_000 };
  const saved = "2 more picture sizes are made when somebody watches; until then, 200 MB is saved.";
  for (const status of /** @type {const} */ ([null, "removed"])) assert.equal(words.onDemandText({ ...found, status }), saved);
  assert.equal(words.onDemandText({ ...found, status: "encoding" }), "Making 2 more picture sizes for viewers, 42 %.");
  const one = { ...found, renditions: ["v540"] };
  for (const status of /** @type {const} */ (["complete", "leaving"])) {
    assert.equal(words.onDemandText({ ...one, status }), "1 more picture size was made for viewers: 300 MB.");
  }
  const reason = "The upload is gone.";
  assert.equal(words.onDemandText({ ...one, status: "abandoned", reason }), "1 more picture size could not be made: The upload is gone.");
  assert.equal(words.onDemandText(null), "");
});

test("the cost of the month is shown once there is a cost or a limit", () => {
  const month = { month: "2026-11", encode_microusd: 3_200_000, limit_microusd: 20_000_000 };
  assert.equal(words.spendingText(month), "Encoding in November: $3.20 of $20.");
  assert.equal(words.spendingText({ ...month, limit_microusd: null }), "Encoding in November: $3.20.");
  assert.equal(words.spendingText({ ...month, limit_microusd: 1_500_000_000 }), "Encoding in November: $3.20 of $1,500.");
  assert.equal(words.spendingText({ ...month, encode_microusd: 0, limit_microusd: null }), "");
  assert.equal(words.spendingText(null), "");
});

test("a limit is whole dollars, and nothing is no limit", () => {
  assert.deepEqual(["", " ", "0", "20", "$20", "1500.00", "$1,500"].map(amountOf), [0, 0, 0, 20, 20, 1500, 1500]);
  assert.deepEqual(["20", "", "1,000,000"].map(amountFault), ["", "", ""]);
  for (const text of ["twenty", "-5", "20.50", "1,50", "20 €", "1e3"]) assert.match(amountFault(text), /whole dollars/u);
  assert.equal(amountFault("1000001"), "Enter at most 1,000,000.");
});

test("a film is checked once it is ready, and repaired if files are damaged", () => {
  const job = (more = {}) => ({ title_id: "a", title_name: "A", status: "ready", percent: 100, uploaded_percent: null, eta_s: null, manifest_url: "m", verification: null, verifying: false, reason: null, fault: null, updated_at: "2026-11-24T11:59:00Z", ...more });
  const offered = (more) => words.offers([job(more)]).map(({ retry, verify, watch }) => [retry, verify, watch])[0];
  assert.deepEqual(offered(), [false, true, true]);
  assert.deepEqual(offered({ verifying: true }), [false, false, true]);
  assert.deepEqual(offered({ status: "encoding" }), [false, false, true]);
  assert.equal(words.verificationText(job({ verifying: true })), "Checking the files…");
  assert.equal(words.verificationText(job({ verification: { files: 120, damaged: 0 } })), "All 120 files are fine.");
  const damaged = { verification: { files: 120, damaged: 6 } };
  assert.deepEqual(offered(damaged), [true, false, true]);
  assert.equal(words.jobText(job(damaged)), "Damaged");
  assert.equal(words.troubleText(job(damaged), 0), "6 of 120 files are missing or damaged. Repair the film to encode them again.");
  assert.equal(words.verificationText(job(damaged)), "");
});

test("only a delayed or failed encode shows a reason", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");
  const job = (status, more = {}) => ({ status, reason: null, fault: null, verification: null, updated_at: "2026-11-24T11:59:00Z", ...more });
  assert.equal(words.troubleText(job("encoding"), now), "");
  assert.equal(words.troubleText(job("failed", { reason: "It is text.", fault: "x" }), now), "It is text.");
  const damage = { note: "One frame could not be read and was filled in (0:12)." };
  assert.equal(words.troubleText(job("ready", { damage }), now), damage.note);
  assert.equal(words.troubleText(job("encoding", { damage }), now), damage.note);
  assert.equal(words.troubleText(job("failed", { reason: "It is damaged.", damage }), now), "It is damaged.");
  const notes = ["The audio track “German” is empty and was left out."];
  assert.equal(words.troubleText(job("ready", { damage, notes }), now), `${damage.note} ${notes[0]}`);
  assert.equal(words.troubleText(job("ready", { notes: [] }), now), "");
  assert.equal(words.troubleText(job("encoding", { fault: "A store failed." }), now), "A step failed and will be retried: A store failed.");
  const old = { updated_at: "2026-11-24T11:50:00Z" };
  assert.match(words.troubleText(job("queued", old), now), /^No progress for about 10 minutes\. Other films/);
  assert.match(words.troubleText(job("encoding", old), now), /^No progress for about 10 minutes\. Check that/);
});

test("encodes are polled often while they progress, and less and less often while requests fail", () => {
  assert.ok(words.lookAfter({ moving: true, failures: 0 }) <= 2000);
  assert.ok(words.lookAfter({ moving: false, failures: 0 }) >= 10_000);
  assert.deepEqual([1, 2, 3, 9].map((failures) => words.lookAfter({ moving: true, failures })), [4000, 8000, 16_000, 60_000]);
});

test("an edit sends only changed fields, and clears emptied ones", () => {
  const title = { name: "Sea", year: 1999, plot: null };
  assert.deepEqual(words.changesOf(title, { name: " Sea ", year: "1999", plot: "" }), {});
  assert.deepEqual(words.changesOf(title, { name: "The Sea", year: "", plot: " Waves. " }), { name: "The Sea", year: null, plot: "Waves." });
  assert.deepEqual(["", "1999", "1870", "2200"].map(words.yearFault), ["", "", "", ""]);
  assert.ok(["99", "1869", "2201", "20x4"].every(words.yearFault));
});

test("days are whole numbers of at least one", () => {
  assert.deepEqual(["1", " 30 ", "36500"].map(words.daysFault), ["", "", ""]);
  assert.ok(["", "0", "1.5", "-3", "36501", "ten"].every(words.daysFault));
});

test("free access ends after some days or on a last day in the future", () => {
  const now = new Date(2026, 10, 24, 12, 0);
  const faults = (days, until) => Object.values(words.accessFaults({ days, until }, now)).join("");
  assert.deepEqual([["30", ""], ["", "2026-11-24"], ["", "2027-01-31"]].map(([days, until]) => faults(days, until)), ["", "", ""]);
  assert.ok([["", ""], ["0", ""], ["30", "2027-01-31"], ["", "2026-11-23"], ["", "2226-11-23"]].every(([days, until]) => faults(days, until)));
  assert.deepEqual(words.endOfDay("2027-01-31"), new Date(2027, 0, 31, 23, 59, 59));
});

test("a new administrator without a password gets a link", () => {
  assert.match(words.addedText("jo@example.org", "https://films.example.org/reset#token=x"), /link.*https:\/\/films/);
  assert.doesNotMatch(words.addedText("jo@example.org", null), /link/);
});

test("events, subscriptions and titles are described in words", () => {
  const now = new Date(2026, 10, 24, 12, 0);
  assert.equal(words.eventText("PAYMENT.SALE.COMPLETED"), "Payment sale completed");
  const one = { user_id: "0123456789abcdef0123", email: "jo@example.org", plan_id: "P-1", state: "active", state_since: new Date(2026, 10, 24, 9, 5).toISOString(), next_charge_at: new Date(2026, 11, 24).toISOString(), paid_through: null };
  assert.deepEqual(subscriptionEntry(one, now, new Map([["P-1", "Monthly"]])), {
    head: "Monthly",
    facts: ["jo@example.org", "since today, 09:05", "next charge 24 December", ""],
    state: "Active",
    kind: "good",
  });
  assert.equal(titleFacts({ year: 1999, status: "failed" }), "1999 · Not available");
  assert.equal(titleFacts({ year: null, status: "ready" }), "Year unknown");
});

test("a subscription or a grant of a deleted account is listed", () => {
  const now = new Date(2026, 10, 24, 12, 0);
  const at = new Date(2026, 10, 24, 9, 5).toISOString();
  const one = { user_id: null, email: null, plan_id: "P-1", state: "cancelled", state_since: at, next_charge_at: null, paid_through: null };
  assert.equal(subscriptionEntry(one, now).facts[0], "deleted account");
  const grant = grantEntry({ grant_id: "1", user_id: null, email: null, until: at, granted_at: at, granted_by: null, granted_by_email: null, revoked_at: null }, now);
  assert.deepEqual([grant.head, grant.facts[1]], ["Deleted account", "by a deleted account"]);
});

test("the arrow keys wrap around the tabs", () => {
  assert.deepEqual(["ArrowRight", "ArrowLeft", "Home", "End", "a"].map((key) => tabAfter(key, 3, 4)), [0, 2, 0, 3, null]);
  assert.equal(tabAfter("ArrowLeft", 0, 4), 3);
});

test("before a film is given to an announced title, the question names that title", () => {
  assert.equal(words.belongsText([{ name: "The Sea", year: 2010 }]), "The Sea (2010) is announced and has no film yet. Is this its film?");
  assert.match(words.belongsText([{ name: "The Sea", year: 2010 }, { name: "The Sea", year: null }]), /^Several announced titles/);
  assert.equal(words.titleText({ name: "The Sea", year: null }), "The Sea");
});

test("an unpublished title is marked, and links to the film instead of its page", () => {
  assert.equal(titleFacts({ year: 1999, status: "ready", draft: true }), "1999 · Not published yet");
  assert.equal(linkOf({ id: "a b", playback: null }), "/title/a%20b");
  assert.equal(linkOf({ id: "a", draft: true, playback: {} }), "/watch.html?id=a");
  assert.equal(linkOf({ id: "a", draft: true, playback: null }), "");
});

test("a trailer is listed under the present name of its title, and leads to the player once it can be played", () => {
  const of = { id: "sea", name: "The Sea" };
  assert.equal(nameOf({ name: "Trailer: Sea", trailer_of: of }), "Trailer: The Sea");
  assert.equal(nameOf({ name: "Trailer: Sea", trailer_of: { ...of, name: null } }), "Trailer: Sea");
  assert.equal(nameOf({ name: "The Sea" }), "The Sea");
  assert.equal(titleFacts({ year: null, status: "encoding", trailer_of: of }), "Trailer · Encoding");
  assert.equal(linkOf({ id: "t", playback: { complete: true }, trailer_of: of }), "/watch.html?id=sea&trailer");
  assert.equal(linkOf({ id: "t", playback: { complete: false }, trailer_of: of }), "");
  assert.equal(linkOf({ id: "t", playback: { complete: true }, trailer_of: { ...of, name: null } }), "");
  assert.deepEqual(["Sea-trailer.mp4", "sea.Trailer.mkv", "trailer.mp4", "The Trailer.mp4"].map((name) => kindOf(name).text), ["Trailer", "Trailer", "Film", "Film"]);
});

test("a paused or interrupted upload shows how much of it was sent", () => {
  assert.equal(words.shareText({ sent: 5e8, size: 2e9 }), "25 % of 2 GB");
  assert.equal(words.shareText({ sent: 0, size: 0 }), "0 % of 0 bytes");
  assert.ok(words.UPLOAD_ENDED.has("interrupted") && !words.UPLOAD_ENDED.has("paused"));
});
