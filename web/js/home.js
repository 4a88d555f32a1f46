/** The home page: a hero and shelves from catalogue/home.json, kept alive while films arrive and encode. */
import "./nav.js";
import { facts, kindName } from "./text.js";
import { hook, hooks, picture, piece, reconcile, showProblem, writeFacts } from "./dom.js";
import { canPlay, hueOf, titleAddress, watchAddress, writeCards } from "./cards.js";
import { bindShelf } from "./shelf.js";
import { getJson, pause, RequestError, repeat } from "./net.js";
import { onChange, session } from "./account/session.js";
import { fetchRecommendedRows } from "./recommendations.js";
import { fetchContinueRows } from "./viewing.js";

const HOME = "/catalogue/home.json";
const PERSONAL_WITHIN_MS = 700;

/** What asks for the shelves of whoever is logged in, in their order above those for everybody. */
const PERSONAL = [fetchContinueRows, fetchRecommendedRows];

/** The rows of the page: the person's own first, then those for everybody. */
export const withPersonal = (home, personal) => (isEmpty(home) ? home : { ...home, rows: [...personal, ...home.rows] });

export const isEmpty = (home) => !home.hero && home.rows.every((row) => row.titles.length === 0);

/** How long until the page looks again: soon while something is on its way, seldom otherwise. */
export function refreshDelay(home, now) {
  if (isEmpty(home)) return 3000;
  const arriving = [home.hero, ...home.rows.flatMap((row) => row.titles)].some((title) => title?.status === "encoding");
  const fresh = now - Date.parse(home.generated_at) < 60_000;
  return arriving || fresh ? 4000 : 30_000;
}

/** Shelves whose titles are shown by their posters. */
export const shapeOf = (row) => (["top", "top-rated", "coming-soon", "soon", "announced"].includes(row.id) ? "poster" : "card");

function writeHero(node, title) {
  const at = hooks(node);
  at.kind.textContent = title.status === "encoding" ? "Arriving now: plays while it encodes" : kindName(title.kind);
  at.name.textContent = title.name;
  at.plot.textContent = title.plot ?? "";
  at.play.href = watchAddress(title.id);
  at.play.hidden = !canPlay(title.status);
  at.more.href = titleAddress(title.id);
  node.style.setProperty("--hue", hueOf(title.id));
  node.classList.toggle("has-art", Boolean(title.artwork.backdrop ?? title.artwork.card));
  writeFacts(at.facts, facts(title));
  picture(at.art, title.artwork.backdrop ?? title.artwork.card);
}

function createShelf(row) {
  const node = piece("shelf");
  const heading = hook(node, "name");
  heading.id = `shelf-${row.id}`;
  node.setAttribute("aria-labelledby", heading.id);
  hook(node, "cards").setAttribute("aria-labelledby", heading.id);
  node.updateArrows = bindShelf(node, row.name);
  return node;
}

function updateShelf(node, row) {
  hook(node, "name").textContent = row.name;
  writeCards(hook(node, "cards"), row.titles, shapeOf(row));
  node.updateArrows();
}

function write(root, home) {
  root.removeAttribute("aria-busy");
  if (isEmpty(home)) {
    root.replaceChildren(piece("empty"));
    return;
  }
  const sections = [];
  if (home.hero) sections.push({ key: "hero", create: () => piece("hero"), update: (node) => writeHero(node, home.hero) });
  const createRows = () => Object.assign(document.createElement("div"), { className: "rows" });
  const updateRows = (node) =>
    reconcile(node, home.rows.filter((row) => row.titles.length), { key: (row) => row.id, create: createShelf, update: updateShelf });
  sections.push({ key: home.hero ? "rows" : "rows-alone", create: createRows, update: updateRows });
  reconcile(root, sections, {
    key: (section) => section.key,
    create: (section) => section.create(),
    update: (node, section) => section.update(node),
  });
}

async function fetchHome() {
  try {
    return await getJson(HOME);
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) return { generated_at: new Date().toISOString(), hero: null, rows: [] };
    throw error;
  }
}

const fetchPersonal = async () => (await Promise.all(PERSONAL.map((rows) => rows()))).flat();

async function start(root) {
  let home;
  let personal = [];
  const asked = fetchPersonal();
  try {
    home = await fetchHome();
  } catch (error) {
    showProblem(root, { heading: "The catalogue did not load.", text: `${error.message} Try again in a moment.`, retry: () => start(root) });
    return;
  }
  const show = () => write(root, withPersonal(home, personal));
  const takePersonal = async (asking) => {
    const rows = await asking;
    if (JSON.stringify(rows) === JSON.stringify(personal)) return;
    personal = rows;
    show();
  };
  // whoever is known to be logged in sees their own shelves at once: coming later they would push the others down
  if (session()) personal = await Promise.race([asked, pause(PERSONAL_WITHIN_MS).then(() => [])]);
  show();
  takePersonal(asked);
  onChange(() => takePersonal(fetchPersonal()));
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) takePersonal(fetchPersonal()); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") takePersonal(fetchPersonal()); });
  let last = JSON.stringify(home);
  const refresh = async () => {
    const newer = await fetchHome().catch((error) => { if (error instanceof RequestError) return null; throw error; });
    if (!newer || JSON.stringify(newer) === last) return; // no answer this time: what is shown stays, and is asked for again
    home = newer;
    last = JSON.stringify(home);
    show();
  };
  repeat(refresh, () => refreshDelay(home, Date.now()));
}

const root = globalThis.document?.querySelector("[data-home]");
if (root) start(root);
