import assert from "node:assert/strict";
import { test } from "node:test";
import { momentAddress } from "../../../web/js/addresses.js";
import { RequestError } from "../../../web/js/net.js";
import { DialogueSearch, momentsIn, shardOf, wordsOf } from "../../../web/js/search/dialogue.js";
import { onlySaidText } from "../../../web/js/search.js";
import { findSaid } from "../../../web/js/search/loading.js";
import { momentsFor } from "../../../web/js/search/suggestions.js";

const STORM = { words: { rain: [9, 100], rainfall: [5], tonight: [7, 60], the: [], constructor: [300] } };
const DESERT = { words: { rain: [3], the: [4] } };

/** Published files of two titles, and the addresses that were asked for. */
function makeIndex() {
  const titles = ["desert", "storm"];
  /** @type {Map<string, any>} */
  const files = new Map();
  for (const [id, file] of Object.entries({ storm: STORM, desert: DESERT })) files.set(`/catalogue/dialogue/${id}.json`, file);
  for (const [position, { words }] of [DESERT, STORM].entries()) {
    for (const word of Object.keys(words)) {
      const address = `/catalogue/dialogue/shards/${shardOf(word)}.json`;
      const shard = files.get(address) ?? { titles, words: {} };
      shard.words[word] = [...(Object.hasOwn(shard.words, word) ? shard.words[word] : []), position];
      files.set(address, shard);
    }
  }
  const asked = [];
  const fetchJson = async (address) => {
    asked.push(address);
    if (!files.has(address)) throw new RequestError(404, "not_found", "");
    return files.get(address);
  };
  return { search: new DialogueSearch(fetchJson), asked };
}

const TITLES = ["storm", "desert", "flood"].map((id) => ({ id, name: id, status: "ready" }));
const found = async (query, titles = TITLES) => (await makeIndex().search.find(query, titles)).map(({ id, seconds }) => [id, ...seconds]);

test("words that begin alike share a shard, whatever their script", () => {
  assert.deepEqual([shardOf("rain"), shardOf("rainfall")], [47, 47]); // as in tests/unit/catalogue/test_dialogue.py
  assert.equal(shardOf("𝒶𝒷"), (31 * 0x1d4b6 + 0x1d4b7) % 64);
});

test("a query needs one word of three letters, and ignores accents and single letters", () => {
  assert.deepEqual([wordsOf("I a"), wordsOf("no"), wordsOf("Zoë's a café!")], [[], [], ["zoes", "cafe"]]);
});

test("a word finds the films in which it is said, newest first, and the last one may be unfinished", async () => {
  assert.deepEqual(await found("rain "), [["storm", 5, 100], ["desert", 3]]);
  assert.deepEqual(await found("rainf"), [["storm", 5]]);
  assert.deepEqual(await found("tonight rain"), [["storm", 5]]);
  assert.deepEqual(await found("snow"), []);
  assert.deepEqual(await found("constructor"), [["storm", 300]]);
});

test("several words must be said close together", () => {
  assert.deepEqual(momentsIn(STORM, ["tonight", "rain"]), [5]);
  assert.deepEqual(momentsIn({ words: { rain: [9], tonight: [60] } }, ["tonight", "rain"]), []);
});

test("a frequent word does not decide, and finds nothing alone", () => {
  assert.deepEqual(momentsIn(STORM, ["the", "rainfall"]), [5]);
  assert.deepEqual(momentsIn(STORM, ["the"]), []);
});

test("titles that cannot be played are left out", async () => {
  assert.deepEqual(await found("rain", [{ ...TITLES[0], status: "encoding" }, TITLES[1]]), [["desert", 3]]);
});

test("a file is loaded once, but again after a failure", async () => {
  const { search, asked } = makeIndex();
  await search.find("rain", TITLES);
  const first = asked.length;
  await search.find("rain", TITLES);
  assert.equal(asked.length, first);
  const answers = [new RequestError(0, "unreachable", ""), { titles: [], words: {} }];
  const lost = new DialogueSearch(async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  });
  await assert.rejects(lost.find("rain", TITLES), RequestError);
  assert.deepEqual(await lost.find("rain", TITLES), []);
});

test("without an index, nothing is asked for", async () => {
  assert.deepEqual(await findSaid({ hasDialogue: false, entries: /** @type {any} */ (TITLES) }, "rain"), []);
});

test("the search page does not say that nothing was found if it is said in films", () => {
  assert.match(onlySaidText(1, "rain"), /said in a film\./);
  assert.match(onlySaidText(3, "rain"), /“rain”.*said in 3 films\./);
});

test("a suggestion leads to a second before the word", () => {
  assert.equal(momentAddress("storm", 0), "/watch.html?id=storm&from=0");
  const [suggestion] = momentsFor([{ id: "storm", seconds: [75, 100] }], /** @type {any} */ (TITLES), "rain");
  assert.deepEqual([suggestion.text, suggestion.note, suggestion.address], ["storm", "“rain” at 1:15", "/watch.html?id=storm&from=74"]);
});
