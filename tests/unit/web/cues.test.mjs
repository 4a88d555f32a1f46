import assert from "node:assert/strict";
import { test } from "node:test";
import { actForKey } from "../../../web/js/player/controls.js";
import { contains, entriesOf, piecesOf, positionAt, textOf, transcriptText, wanted } from "../../../web/js/player/cues.js";
import { subtitlesFor } from "../../../web/js/player/transcript.js";

const file = (...cues) => `WEBVTT\n\n${cues.map(([times, ...lines]) => `${times}\n${lines.join("\n")}\n`).join("\n")}`;
const marked = (text, query) => piecesOf(text, wanted(query)).map((part) => (part.isFound ? `[${part.text}]` : part.text)).join("");

test("cues become entries with their times, with and without hours", () => {
  const vtt = file(["00:01.000 --> 00:02.500", "Good evening."], ["01:02:03.250 --> 01:02:04.000", "Good night."]);
  assert.deepEqual(entriesOf(vtt), [{ start: 1, end: 2.5, text: "Good evening." }, { start: 3723.25, end: 3724, text: "Good night." }]);
});

test("headers, notes, styles, regions, ids and settings are not said", () => {
  const vtt = "\uFEFFWEBVTT - a film\r\nKind: captions\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\nREGION\r\nid:low\r\n\r\nNOTE by somebody\r\n\r\n17\r\n00:01.000 --> 00:02.000 align:start line:90%\r\nHello.\r\n\r\nNOTE\r\nthe end\r\n";
  assert.deepEqual(entriesOf(vtt).map(({ text }) => text), ["Hello."]);
});

test("a cue with unreadable times is left out, and the others stay", () => {
  const vtt = file(["00:01.000 --> soon", "Lost."], ["00:03 --> 00:04", "Lost too."], ["00:05.000 --> 00:06.000", "Kept."]);
  assert.deepEqual(entriesOf(vtt).map(({ text }) => text), ["Kept."]);
  for (const empty of ["", "WEBVTT", "no subtitles at all", file(["00:01.000 --> 00:02.000", "<b> </b>"])]) assert.deepEqual(entriesOf(empty), []);
});

test("a cue without an empty line before the next one ends there", () => {
  assert.deepEqual(entriesOf("WEBVTT\n\n00:01.000 --> 00:02.000\nOne.\n00:02.000 --> 00:03.000\nTwo.").map(({ text }) => text), ["One.", "Two."]);
});

test("entries are in the order of their times", () => {
  const vtt = file(["00:09.000 --> 00:10.000", "Last."], ["00:01.000 --> 00:02.000", "First."]);
  assert.deepEqual(entriesOf(vtt).map(({ text }) => text), ["First.", "Last."]);
});

test("the same text that is shown on is one entry, but what is said again later is another", () => {
  const vtt = file(["00:01.000 --> 00:02.000", "No!"], ["00:02.000 --> 00:03.000", "No!"], ["00:02.500 --> 00:02.800", "No!"], ["00:09.000 --> 00:10.000", "No!"]);
  assert.deepEqual(entriesOf(vtt), [{ start: 1, end: 3, text: "No!" }, { start: 9, end: 10, text: "No!" }]);
});

test("markup is removed once, so nothing that was escaped becomes markup or is lost", () => {
  assert.equal(textOf("<c.yellow.bg_blue><i>Look</i></c>, <00:00:02.500>there!"), "Look, there!");
  assert.equal(textOf("&lt;script&gt;alert(1)&lt;/script&gt; &amp;lt; &#233;&#x41; &nbsp;&unknown; &#0;&#1114112;"), "<script>alert(1)</script> &lt; éA &unknown; &#0;&#1114112;");
  assert.equal(textOf("I <3 you"), "I <3 you");
});

test("speakers are named, and their lines stay apart", () => {
  assert.equal(textOf("<v Ada>Where to?</v>"), "Ada: Where to?");
  assert.equal(textOf("<v.loud Ada Byron>Home!"), "Ada Byron: Home!");
  assert.equal(textOf("one sentence\n  in two lines"), "one sentence in two lines");
  assert.equal(textOf("- Where to?\n- Home."), "- Where to?\n- Home.");
});

test("the current entry is the last one that has begun", () => {
  const entries = [1, 5, 5, 9].map((start) => ({ start, end: start + 1, text: "" }));
  assert.deepEqual([0, 0.9, 1, 4, 5, 8.9, 9, 3600].map((time) => positionAt(entries, time)), [-1, -1, 0, 0, 2, 2, 3, 3]);
  assert.equal(positionAt([], 5), -1);
});

test("a search ignores case, accents and apostrophes, and needs every word", () => {
  assert.ok(contains("Amélie doesn’t DANCE.", wanted("dance amelie doesn't")));
  assert.ok(!contains("Amélie doesn’t dance.", wanted("amelie sings")));
  assert.ok(contains("Weiß", wanted("WEISS")) && contains("ΛΟΓΟΣ", wanted("λόγος")) && contains("안녕하세요", wanted("안녕")));
  assert.ok(contains("anything", wanted("  …! ")));
});

test("what is found is marked in the text as it is written", () => {
  assert.equal(marked("Amélie doesn’t dance, AMELIE!", "amelie doesn't"), "[Amélie] [doesn’t] dance, [AMELIE]!");
  assert.equal(marked("Ame\u0301 lie", "ame"), "[Ame\u0301] lie"); // the accent is a character of its own
  assert.equal(marked("groß und größer", "gross"), "[groß] und [größ]er");
  assert.equal(marked("banana", "ana"), "b[anana]");
  assert.equal(marked("🎬 Action! 🎬", "action"), "🎬 [Action]! 🎬");
  assert.equal(marked("nothing", ""), "nothing");
});

test("the text file has headings, and a line with its time for each entry", () => {
  const entries = [{ start: 1, end: 2, text: "- Where to?\n- Home." }, { start: 3723, end: 3724, text: "Good night." }];
  assert.equal(transcriptText(["Harbour", "Transcript: English"], entries), "Harbour\nTranscript: English\n\n0:01  - Where to? - Home.\n1:02:03  Good night.\n");
});

test("the transcript has the subtitles that are shown, then its own, then those in a wanted language, then the first", () => {
  const [english, forced, german] = [["en", "English"], ["en", "English (forced)"], ["de", ""]].map(([language, label]) => ({ language, label, url: `${language}${label}` }));
  const all = [english, forced, german];
  const chosen = (wishes) => subtitlesFor(all, { shown: null, before: undefined, languages: [], ...wishes });
  assert.equal(chosen({ shown: { language: "en", label: "English (forced)" }, before: german.url }), forced);
  assert.equal(chosen({ shown: { language: "de", label: null }, languages: ["en"] }), german);
  assert.equal(chosen({ before: forced.url, languages: ["de"] }), forced); // turning subtitles off changes nothing
  assert.equal(chosen({ before: "of another film", languages: ["fr", "de-AT"] }), german);
  assert.equal(chosen({ languages: ["fr"] }), english);
  assert.equal(subtitlesFor([], { shown: undefined, before: undefined, languages: ["en"] }), null);
});

test("T opens the transcript", () => assert.deepEqual([actForKey({ key: "t" }), actForKey({ key: "T" }), actForKey({ key: "t", ctrlKey: true })], [["transcript"], ["transcript"], null]));
