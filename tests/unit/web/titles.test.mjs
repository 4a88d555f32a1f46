import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestError } from "../../../web/js/net.js";
import { foundText } from "../../../web/js/studio/title_film.js";
import { bestTrack, frameTimes } from "../../../web/js/studio/title_frames.js";
import { uploadName } from "../../../web/js/studio/title_pictures.js";
import { forEachTitle, resultText } from "../../../web/js/studio/title_selection.js";
import { changesOf } from "../../../web/js/studio/words.js";

const titles = ["Sea", "Hill", "Wood"].map((name) => ({ id: name.toLowerCase(), name, status: "ready" }));

test("a picture is uploaded under the name that belongs to its film", () => {
  assert.equal(uploadName("folder/film", "poster", "image/jpeg"), "folder/film.jpg");
  assert.equal(uploadName("film", "backdrop", "image/webp"), "film.backdrop.webp");
  assert.equal(uploadName("film", "poster", "text/html"), null);
});

test("several titles are changed one after the other, until one fails", async () => {
  /** @type {string[]} */
  const asked = [];
  const all = await forEachTitle(titles, async ({ id }) => { asked.push(id); });
  assert.deepEqual(asked, ["sea", "hill", "wood"]);
  assert.equal(resultText("withdrew", titles, all), "Withdrew 3 titles.");
  const error = new RequestError(404, "not_found", "There is no such title.");
  const some = await forEachTitle(titles, async ({ id }) => { if (id === "hill") throw error; });
  assert.deepEqual(some.done.map(({ id }) => id), ["sea"]);
  assert.equal(resultText("withdrew", titles, some), "Withdrew 1 of 3 titles. Hill: There is no such title.");
  await assert.rejects(forEachTitle(titles, async () => { throw new TypeError("a defect"); }), TypeError);
});

test("lists are edited as words between commas", () => {
  const title = { name: "Sea", genres: ["Drama", "Science fiction"], actors: [], rated: "12" };
  assert.deepEqual(changesOf(title, { genres: "Drama,  Science fiction", actors: " ", rated: "12" }), {});
  assert.deepEqual(changesOf(title, { genres: "Drama,", actors: "Ann Ash, Bo Birch", rated: "" }), { genres: ["Drama"], actors: ["Ann Ash", "Bo Birch"], rated: null });
});

test("what a search has found is counted", () => {
  assert.deepEqual([0, 1, 4].map(foundText), ["No film has this name.", "1 film", "4 films"]);
});

test("frames are spread over the whole film, and each round shows others", () => {
  const rounds = [0, 1, 2, 3].map((round) => frameTimes(600, round));
  for (const times of rounds) {
    assert.equal(times.length, 6);
    assert.ok(times.every((time, at) => time >= at * 100 && time < (at + 1) * 100), times.join(" "));
  }
  const places = rounds.map(([first]) => first).sort((one, other) => one - other);
  assert.ok(places.every((place, at) => at === 0 || place - places[at - 1] > 5), places.join(" "));
});

test("frames have the best resolution that a backdrop needs", () => {
  const tracks = [360, 2160, 1080, 720].map((height) => ({ height }));
  assert.deepEqual(bestTrack(tracks), { height: 1080 });
  assert.deepEqual(bestTrack([{ height: 2160 }, { height: 1440 }]), { height: 1440 });
});
