/**
 * The home page: a hero and shelves from catalogue/home.json, refreshed while films are uploaded and encoded. The
 * published page contains the hero and the first shelves already.
 */
import "./nav.js";
import { facts, kindName, shelfName } from "./text.js";
import { hook, hooks, picture, piece, reconcile, rootOf, setText, showProblem, writeFacts } from "./dom.js";
import { titleAddress, watchAddress } from "./addresses.js";
import { hueOf, playable, suitable, writeCards } from "./cards.js";
import { bindShelf } from "./shelf.js";
import { getJson, orElse, pause, RequestError, repeat, tryLater } from "./net.js";
import { ageLimit, onChange, session } from "./account/session.js";
import { fetchRecommendedRows } from "./recommendations.js";
import { fetchContinueRows } from "./viewing.js";
import { t } from "./texts.js";

/** @import { Card, Home, Row } from "./types.js" */

const HOME = "/catalogue/home.json";
const COMING_SOON = "soon";
const PERSONAL_WITHIN_MS = 700;
const RETRY_MS = 4000;

/**
 * The functions that fetch the logged-in viewer's shelves, in page order; these come before the shelves that everyone
 * sees.
 */
const PERSONAL = [fetchContinueRows, fetchRecommendedRows];

/** @param {Home} home */
export const isEmpty = (home) => !home.hero && home.rows.every((row) => row.titles.length === 0);

/**
 * Return the title at the top: the catalogue's choice or, if that cannot be played by this viewer or not yet, the first
 * title with a wide picture.
 * @param {Home} home
 */
function heroOf({ hero, rows }) {
  if (hero && playable([hero]).length) return hero;
  return playable(rows.flatMap((row) => row.titles)).find((title) => title.artwork?.backdrop) ?? null;
}

/**
 * Return the page to show. The viewer's shelves come first, shelves with a repeated heading are left out, and titles
 * without a film are only under "Coming soon", never the hero.
 * @param {Home} home
 * @param {Row[]} personal
 * @returns {Home}
 */
export function arranged(home, personal) {
  const names = new Set(home.rows.map((row) => row.name));
  const own = isEmpty(home) ? [] : personal.filter((row) => !names.has(row.name));
  const rows = [...own, ...home.rows].map((row) => ({ ...row, titles: row.id === COMING_SOON ? suitable(row.titles) : playable(row.titles) }));
  return { ...home, hero: heroOf(home), rows: rows.filter((row) => row.titles.length) };
}

/**
 * Return the number of milliseconds until the next refresh of the page; fewer while a title is being added or encoded.
 * @param {Home} home
 * @param {number} now
 */
export function refreshDelay(home, now) {
  if (isEmpty(home)) return 3000;
  const isArriving = [home.hero, ...home.rows.flatMap((row) => row.titles)].some((title) => title?.status === "encoding");
  const isFresh = now - new Date(home.generated_at).getTime() < 60_000;
  return isArriving || isFresh ? 4000 : 30_000;
}

/**
 * Return the shape of a shelf's cards: announced titles have only a poster.
 * @param {{ id: string }} row
 */
export const shapeOf = (row) => (row.id === COMING_SOON ? "poster" : "card");

/**
 * @param {HTMLElement} node
 * @param {Card} title
 */
function writeHero(node, title) {
  const at = hooks(node);
  const art = title.artwork?.backdrop ?? title.artwork?.card;
  setText(at.kind, title.status === "encoding" ? t("common.just_added") : kindName(title.kind));
  setText(at.name, title.name);
  setText(at.plot, title.plot ?? "");
  at.play.href = watchAddress(title.id);
  at.more.href = titleAddress(title.id);
  node.style.setProperty("--hue", hueOf(title.id));
  node.classList.toggle("has-art", Boolean(art));
  writeFacts(at.facts, facts(title));
  picture(at.art, art);
}

/** @type {WeakMap<HTMLElement, () => void>} */
const arrowUpdates = new WeakMap();

/** @param {Row} row */
function createShelf(row) {
  const node = piece("shelf");
  const heading = hook(node, "name");
  heading.id = `shelf-${row.id}`;
  node.setAttribute("aria-labelledby", heading.id);
  hook(node, "cards").setAttribute("aria-labelledby", heading.id);
  return node;
}

/**
 * @param {HTMLElement} node
 * @param {Row} row
 */
function updateShelf(node, row) {
  if (!arrowUpdates.has(node)) arrowUpdates.set(node, bindShelf(node, shelfName(row))); // a shelf of the published page
  setText(hook(node, "name"), shelfName(row));
  writeCards(hook(node, "cards"), row.titles, shapeOf(row));
  arrowUpdates.get(node)?.();
}

/**
 * @param {HTMLElement} root
 * @param {Home} home
 */
function write(root, home) {
  root.removeAttribute("aria-busy");
  root.classList.remove("is-arranging");
  if (isEmpty(home)) {
    root.replaceChildren(piece(ageLimit() === null ? "empty" : "unsuitable"));
    return;
  }
  const { hero } = home;
  const createRows = () => Object.assign(document.createElement("div"), { className: "rows" });
  const updateRows = (/** @type {HTMLElement} */ node) =>
    reconcile(node, home.rows, { key: (row) => row.id, create: createShelf, update: updateShelf });
  const top = hero
    ? { key: "hero", create: () => piece("hero"), update: (/** @type {HTMLElement} */ node) => writeHero(node, hero) }
    : { key: "heading", create: () => piece("heading"), update: () => {} };
  reconcile(root, [top, { key: hero ? "rows" : "rows-alone", create: createRows, update: updateRows }], {
    key: (section) => section.key,
    create: (section) => section.create(),
    update: (node, section) => section.update(node),
  });
}

/** @returns {Promise<Home>} */
async function fetchHome() {
  try {
    return await getJson(HOME);
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) return { generated_at: new Date().toISOString(), hero: null, rows: [] };
    throw error;
  }
}

const fetchPersonal = async () => (await Promise.all(PERSONAL.map((rows) => rows()))).flat();

/** @param {HTMLElement} root */
async function start(root) {
  /** @type {Home | null} */
  let home = null;
  /** @type {Row[]} */
  let personal = [];
  const asked = fetchPersonal();
  if (ageLimit() !== null) root.replaceChildren(); // the published page shows films for all ages
  const isPublished = Boolean(root.querySelector(":scope > [data-key]"));
  root.classList.toggle("is-arranging", Boolean(session())); // the viewer's shelves go above those of the published page
  const show = () => { if (home) write(root, arranged(home, personal)); };
  const load = async () => {
    const newer = await fetchHome();
    if (JSON.stringify(newer) === JSON.stringify(home)) return;
    home = newer;
    show();
  };
  /** @param {unknown} error */
  const complain = (error) => {
    if (!(error instanceof RequestError)) throw error;
    root.classList.remove("is-arranging");
    if (isPublished) return; // what was published stays, until it can be refreshed
    showProblem(root, { heading: t("common.catalogue_did_not_load"), text: tryLater(error), retry: () => load().catch(complain) });
  };
  try {
    home = await fetchHome();
  } catch (error) {
    complain(error);
  }
  const takePersonal = async (/** @type {Promise<Row[]>} */ asking) => {
    const rows = await asking;
    if (JSON.stringify(rows) === JSON.stringify(personal)) return;
    personal = rows;
    show();
  };
  // wait briefly for a logged-in viewer's shelves: if they were added later, they would push the other shelves down
  if (home && session()) personal = await Promise.race([asked, pause(PERSONAL_WITHIN_MS).then(() => /** @type {Row[]} */ ([]))]);
  show();
  takePersonal(asked);
  onChange(() => takePersonal(fetchPersonal()));
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) takePersonal(fetchPersonal()); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") takePersonal(fetchPersonal()); });
  // if the request fails, the page stays unchanged
  repeat(() => orElse(load(), null), () => (home ? refreshDelay(home, Date.now()) : RETRY_MS));
}

const page = rootOf("home");
if (page) start(page);
