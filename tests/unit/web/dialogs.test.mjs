import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { bindForm } from "../../../web/js/account/form.js";
import { RequestError } from "../../../web/js/net.js";
import { FilmDialog } from "../../../web/js/studio/title_film.js";
import { FilmFrames } from "../../../web/js/studio/title_frames.js";
import { PicturesDialog } from "../../../web/js/studio/title_pictures.js";
import { element, formIn, held, installPage, settled, until } from "./dom.mjs";

const makeTitle = (/** @type {string} */ name) => /** @type {any} */ ({ id: name, name, stem: `${name}.film`, status: "ready", artwork: { poster: `${name}.jpg`, backdrop: null } });
const SEA = makeTitle("Sea");
const HILL = makeTitle("Hill");
const picture = () => Object.assign(new Blob(["picture"], { type: "image/jpeg" }), { name: "any.jpg", lastModified: 0 });

/** @type {string[]} the names under which pictures were uploaded */
let uploaded;

beforeEach(() => {
  uploaded = [];
  installPage((path, init) => {
    if (path !== "uploads") return { error: "not_found", status: 404, detail: "There is nothing." };
    uploaded.push(JSON.parse(init.body).name);
    return { upload_url: "https://blobs.example/film?sig=a" };
  }, { film: () => element("name facts choose-name choose"), frame: () => element("art poster backdrop") });
  globalThis.XMLHttpRequest = /** @type {any} */ (class extends EventTarget {
    upload = new EventTarget();
    status = 201;
    open() {}
    setRequestHeader() {}
    getAllResponseHeaders() { return ""; }
    send() { queueMicrotask(() => this.dispatchEvent(new Event("load"))); }
  });
});

function makePictures() {
  const root = element("pictures-dialog pictures-title pictures-said pictures-close frames frames-show frames-word frames-said frame-list omdb");
  root.append(element("picture file", { slot: "poster" }), element("picture file", { slot: "backdrop" }));
  const find = (/** @type {string} */ name) => root.querySelector(`[data-hook="${name}"]`);
  /** @type {Map<string, ReturnType<typeof held>>} the catalogue's pictures, by title */
  const made = new Map([SEA, HILL].map(({ id }) => [id, held()]));
  const [changed, missed] = [[], []];
  const dialog = new PicturesDialog(root, {
    again: ({ id }) => made.get(id).promise,
    onChanged: (title, isShown) => { changed.push([title.id, isShown]); },
    onFailed: (text) => { missed.push(text); },
  });
  const choose = async () => {
    const input = root.querySelector('[data-slot="poster"]').querySelector('[data-hook="file"]');
    const before = uploaded.length;
    input.files = [picture()];
    input.dispatchEvent(new Event("change"));
    await until(() => uploaded.length > before || /still/.test(find("pictures-said").textContent)); // a digest is made on another thread
  };
  return { dialog, find, choose, made, changed, missed, shown: () => root.querySelector('[data-slot="poster"]').querySelector('[data-hook="picture"]').src };
}

test("a picture that is saved while another title's dialog is open changes only its own title", async () => {
  const { dialog, find, choose, made, changed, shown } = makePictures();
  dialog.open(SEA);
  assert.match(find("pictures-title").textContent, /Sea/);
  await choose();
  assert.equal(find("pictures-said").textContent, "Saving…");
  find("pictures-close").click();
  dialog.open(HILL);
  assert.match(find("pictures-title").textContent, /Hill/);
  assert.equal(find("pictures-said").textContent, "");
  await choose(); // is not swallowed while the first one is saved
  assert.deepEqual(uploaded, ["Sea.film.jpg", "Hill.film.jpg"]);
  made.get("Sea").settle({ ...SEA, artwork: { poster: "new-sea.jpg", backdrop: null } });
  await settled();
  assert.match(shown(), /\/Hill\.jpg$/);
  assert.equal(find("pictures-said").textContent, "Saving…");
  made.get("Hill").settle({ ...HILL, artwork: { poster: "new-hill.jpg", backdrop: null } });
  await settled();
  assert.match(shown(), /\/new-hill\.jpg$/);
  await choose();
  assert.equal(uploaded[2], "Hill.film.jpg");
  assert.deepEqual(changed.slice(0, 2), [["Sea", false], ["Hill", true]]);
});

test("a picture that is chosen while the title's last one is saved is refused with the reason", async () => {
  const { dialog, find, choose } = makePictures();
  dialog.open(SEA);
  await choose();
  find("pictures-close").click();
  dialog.open(SEA);
  assert.equal(find("pictures-said").textContent, "Saving…");
  await choose();
  assert.deepEqual(uploaded, ["Sea.film.jpg"]);
  assert.match(find("pictures-said").textContent, /Sea is still being saved/);
});

test("a picture that could not be saved is reported outside its dialog, if that shows another title", async () => {
  const { dialog, find, choose, made, missed } = makePictures();
  dialog.open(SEA);
  await choose();
  find("pictures-close").click();
  dialog.open(HILL);
  made.get("Sea").settle(Promise.reject(new RequestError(0, "malformed", "The picture is damaged.")));
  await settled();
  assert.equal(find("pictures-said").textContent, "");
  assert.deepEqual(missed, ["Pictures of Sea: The picture is damaged."]);
});

test("a frame that arrives late is neither shown with another title nor used for it", async () => {
  const root = element("frames frames-show frames-word frames-said frame-list");
  const frame = held();
  const used = [];
  const reader = { durationS: 600, frame: () => frame.promise, close: async () => {} };
  const frames = new FilmFrames(root, { use: (title) => { used.push(title.id); }, open: async () => /** @type {any} */ (reader) });
  const list = root.querySelector('[data-hook="frame-list"]');
  frames.begin({ ...SEA, playback: {} });
  const shows = frames.show();
  await settled();
  frames.begin({ ...HILL, playback: {} });
  frame.settle(Object.assign(element(), { toBlob: (/** @type {any} */ then) => then(picture()) }));
  await shows;
  assert.equal(list.children.length, 0);
  await frames.show();
  const kept = list.children[0];
  frames.begin({ ...SEA, playback: {} });
  kept.querySelector('[data-hook="poster"]').click();
  await settled();
  assert.deepEqual(used, ["Hill"]);
});

test("films that were found for one title cannot be chosen for another, and its match closes only its own dialog", async () => {
  const root = element("film-close film-count films");
  const dialogNode = element("", { hook: "film-dialog" });
  root.append(dialogNode);
  const form = formIn(dialogNode, "film-form", { q: "" });
  const [matches, searches] = [held(), [held(), held()]];
  const asked = [];
  installPage((path) => {
    asked.push(path);
    return path.startsWith("catalogue/films") ? searches[asked.filter((one) => one.startsWith("catalogue/films")).length - 1].promise : matches.promise;
  }, { film: () => element("name facts choose-name choose") });
  const [matched, failed] = [[], []];
  const dialog = new FilmDialog(root, { onMatched: ({ id }) => { matched.push(id); }, onFailed: (text) => { failed.push(text); } });
  const find = (/** @type {string} */ name) => root.querySelector(`[data-hook="${name}"]`);
  const found = { films: [{ imdb_id: "tt1", name: "The Sea", year: 1990, kind: "movie" }], reason: null };
  dialog.open(SEA);
  form.dispatchEvent(new Event("submit", { cancelable: true }));
  await settled();
  dialog.open(HILL); // while the search for the first one runs
  searches[0].settle(found);
  await settled();
  assert.equal(find("films").children.length, 0);
  form.dispatchEvent(new Event("submit", { cancelable: true }));
  searches[1].settle(found);
  await settled();
  find("films").children[0].querySelector('[data-hook="choose"]').click();
  dialog.open(SEA); // while the match of the second one runs
  matches.settle(HILL);
  await settled();
  assert.equal(asked.at(-1), "titles/Hill/match");
  assert.deepEqual([matched, failed, dialogNode.open], [["Hill"], [], true]);
});

test("a dialog that opens with another subject can be sent at once, and shows nothing of what was sent before", async () => {
  const dialog = element();
  const form = formIn(dialog, "form", { name: "Sea" });
  const answers = [held(), held()];
  const late = [];
  let sent = 0;
  const bound = bindForm(form, {
    busy: "Saving…",
    send: async (_values, isShown) => {
      sent += 1;
      await answers[sent - 1].promise;
      if (isShown()) dialog.close();
    },
    late: (error) => { late.push(error.message); },
  });
  const submit = () => form.dispatchEvent(new Event("submit", { cancelable: true }));
  const message = form.querySelector('[data-hook="message"]');
  dialog.showModal();
  submit();
  await settled();
  dialog.close();
  bound.begin();
  dialog.showModal();
  submit();
  await settled();
  assert.equal(sent, 2);
  answers[0].settle(Promise.reject(new RequestError(409, "conflict", "Sea was changed meanwhile.")));
  await settled();
  assert.deepEqual([message.textContent, late, dialog.open], ["", ["Sea was changed meanwhile."], true]);
  assert.equal(form.querySelector('[data-hook="label"]').textContent, "Saving…");
  answers[1].settle();
  await settled();
  assert.equal(dialog.open, false);
});
