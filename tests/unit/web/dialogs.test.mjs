import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { bindForm } from "../../../web/js/account/form.js";
import { RequestError } from "../../../web/js/net.js";
import { ProfilesPage } from "../../../web/js/account/profiles.js";
import { Confirmation } from "../../../web/js/studio/people.js";
import { EncodeDialog } from "../../../web/js/studio/title_encode.js";
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

/** Press a button of a form, close its dialog, and let the request fail: without an answer, or with one. */
async function failLate(form, close, answer) {
  installPage(() => answer.promise);
  form.dispatchEvent(new Event("submit", { cancelable: true }));
  await settled();
  close();
  answer.settle({ error: "store_unavailable", status: 503, detail: "That did not work just now. Try again in a moment." });
  await settled();
}

test("a failure that is reported after its dialog was closed says once to try again", async () => {
  const root = element("encode-name encode-close");
  const dialogNode = element("", { hook: "encode-dialog" });
  root.append(dialogNode);
  const form = formIn(dialogNode, "encode-form");
  const failed = [];
  const dialog = new EncodeDialog(root, { onStarted: () => {}, onFailed: (text) => { failed.push(text); } });
  dialog.open(SEA);
  await failLate(form, () => dialogNode.close(), held());
  dialog.open(SEA);
  const cut = held();
  globalThis.fetch = /** @type {any} */ (() => cut.promise);
  form.dispatchEvent(new Event("submit", { cancelable: true }));
  await settled();
  dialogNode.close();
  cut.settle(Promise.reject(new TypeError("The network is gone.")));
  await settled();
  assert.deepEqual(failed, [
    "Sea is not being encoded again. That did not work just now. Try again in a moment.",
    "Sea is not being encoded again. There is no connection to Notflix. Try again in a moment.",
  ]);
});

test("the list is loaded again if nobody knows whether rights were revoked, and the failure stays above it", async () => {
  const root = element("confirm-heading confirm-text confirm-close");
  const dialogNode = element("", { hook: "confirm-dialog" });
  root.append(dialogNode);
  const form = formIn(dialogNode, "confirm-form");
  const trouble = element();
  const list = { at: { trouble }, loads: 0, load: async () => { list.loads += 1; trouble.textContent = ""; await settled(); trouble.textContent = "The list cannot be loaded."; } };
  const answer = held();
  new Confirmation(root).ask({ heading: "", text: "", who: "Deleted account", list: /** @type {any} */ (list) }, () => answer.promise);
  form.dispatchEvent(new Event("submit", { cancelable: true }));
  await settled();
  dialogNode.close();
  answer.settle(Promise.reject(new RequestError(0, "unreachable", "There is no connection to Notflix.")));
  const sentence = "Deleted account: Revoking did not work. There is no connection to Notflix. Check the list.";
  await until(() => trouble.textContent === sentence);
  await settled();
  await settled();
  assert.deepEqual([trouble.textContent, list.loads], [sentence, 1]);
});

test("a profile that could not be added, changed or deleted is reported as such", async () => {
  const root = element("manage add edit-close remove-close pin-close edit-remove said edit-title remove-title limit pin-advice unlock");
  const forms = { edit: { name: "Mia", colour: "mint", limit: "", pin: "", proof: "long enough" }, remove: { "remove-proof": "long enough" }, pin: { code: "" } };
  for (const [name, values] of Object.entries(forms)) {
    const dialogNode = element("", { hook: name });
    root.append(dialogNode);
    formIn(dialogNode, `${name}-form`, values);
  }
  const page = new ProfilesPage(root);
  page.bind();
  const { at } = page;
  page.list = { profiles: [], current: "a", most: 5 };
  const mia = /** @type {any} */ ({ id: "b", name: "Mia", colour: "mint", age_limit: null, locked: false, own: false });
  const said = [];
  for (const [open, name] of /** @type {const} */ ([[() => page.openEdit(null), "edit"], [() => page.openEdit(mia), "edit"], [() => page.openRemove(), "remove"]])) {
    open();
    Object.assign(at["edit-form"].elements.name, { value: "Mia" });
    await failLate(at[`${name}-form`], () => at[name].close(), held());
    said.push(at.said.textContent);
  }
  const reason = "That did not work just now. Try again in a moment.";
  assert.deepEqual(said, [`The new profile was not added. ${reason}`, `Mia: The profile was not changed. ${reason}`, `Mia was not deleted. ${reason}`]);
});
