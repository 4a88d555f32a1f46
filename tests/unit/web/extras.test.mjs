import assert from "node:assert/strict";
import { test } from "node:test";
import { Extras } from "../../../web/js/player/extras.js";

const SESSION = { thumbnails_url: "thumbnails.vtt", subtitles: [], chapters_url: null };

function makeExtras(failures) {
  const made = { noted: [], waits: [], left: failures };
  const player = {
    getTextTracks: () => [],
    addThumbnailsTrack: async () => {
      made.left -= 1;
      if (made.left >= 0) throw new Error("no connection");
      return "track";
    },
  };
  const later = (work, ms) => { made.waits.push(ms); made.next = work; };
  made.extras = new Extras({ player: () => player, native: false, note: (error) => made.noted.push(error.message), onAdded: () => {}, later });
  return made;
}

test("thumbnails that cannot be loaded are tried again later, and the film plays without them", async () => {
  const made = makeExtras(2);
  await made.extras.add(SESSION);
  assert.equal(made.extras.thumbnails, null);
  await made.next();
  await new Promise(setImmediate);
  await made.next();
  await new Promise(setImmediate);
  assert.equal(made.extras.thumbnails, "track");
  assert.deepEqual(made.waits, [5000, 10_000]);
  assert.deepEqual(made.noted, ["no connection", "no connection"]);
});

test("a connection that is back is used at once", async () => {
  const made = makeExtras(1);
  await made.extras.add(SESSION);
  await made.extras.again();
  assert.equal(made.extras.thumbnails, "track");
  made.left = 9;
  await made.extras.again();
  assert.equal(made.left, 9);
});

test("attempts end", async () => {
  const made = makeExtras(99);
  await made.extras.add(SESSION);
  for (let attempt = 1; attempt < 9; attempt += 1) {
    await made.next();
    await new Promise(setImmediate);
  }
  assert.equal(made.waits.length, 5);
});
