import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, encodeText, facts, languageName, length, roughly, runtime, stateLabel } from "../../../web/js/text.js";

test("a running time is shown in hours and minutes", () => {
  assert.deepEqual([0, 42, 60, 97, 121].map(runtime), ["", "42 min", "1 h", "1 h 37 min", "2 h 1 min"]);
});

test("a film of seconds is shown in seconds, and a rounded minute is not shown", () => {
  const film = (duration_s, runtime_min) => length({ runtime_min, playback: duration_s ? { duration_s } : null });
  assert.deepEqual([film(10.4, 1), film(59.7, 1), film(62, 1), film(0, 1), film(0, 42), film(7200, 120)], ["10 s", "1 min", "1 min", "", "42 min", "2 h"]);
});

test("a position shows hours only where there are any", () => {
  assert.deepEqual([0, 9.9, 75, 3675, -3, NaN, Infinity].map(clock), ["0:00", "0:09", "1:15", "1:01:15", "0:00", "0:00", "0:00"]);
});

test("a wait is shown approximately, and not at all if it is unknown", () => {
  assert.deepEqual([null, 0, 20, 61, 150, 3 * 3600].map(roughly), ["", "", "less than a minute", "about 1 minute", "about 3 minutes", "about 3 hours"]);
});

test("facts omit unknown values", () => {
  assert.deepEqual(facts({ year: null, rated: null, runtime_min: null, genres: [] }), []);
  assert.deepEqual(facts({ year: 2024, rated: "PG", runtime_min: 90, genres: ["A", "B", "C", "D"] }).map((fact) => fact.text), ["2024", "PG", "1 h 30 min", "A, B, C"]);
});

test("an encode shows its progress and whether the film can be played already", () => {
  assert.equal(encodeText({ percent: 42.9, eta_s: 150 }, true), "Encoding, 42 %. You can start watching now. Complete in about 3 minutes.");
  assert.equal(encodeText({ percent: 3, eta_s: null }, false), "Encoding, 3 %.");
  assert.equal(encodeText(null, false), "Getting ready.");
});

test("during an upload, it is shown how much of the film has arrived", () => {
  assert.equal(encodeText({ percent: 0, uploaded_percent: 42.9, eta_s: null }, true), "Being uploaded, 42 %. You can start watching now.");
  assert.equal(encodeText({ percent: 0, uploaded_percent: 0, eta_s: null }, false), "Being uploaded, 0 %.");
  assert.equal(encodeText({ percent: 3, uploaded_percent: null, eta_s: null }, false), "Encoding, 3 %.");
});

test("only a title that is ready has no label", () => {
  assert.deepEqual(["announced", "encoding", "failed", "ready"].map(stateLabel), ["Coming soon", "Just added", "Not available", ""]);
});

test("a language tag becomes a name, and an invalid tag is unchanged", () => {
  assert.equal(languageName("de"), "German");
  assert.equal(languageName("und"), "Unknown language");
  assert.equal(languageName("not a tag"), "not a tag");
});
