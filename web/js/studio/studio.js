/** The Studio, where an administrator runs the service. A tab loads its content when it is opened. */
import "../nav.js";
import { hook, rootOf } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { showState } from "../account/form.js";
import { authorized, leaveFor, loginAddress, ready, update } from "../account/session.js";
import { bindAbsence } from "./absence.js";
import { bindEncodes } from "./encodes.js";
import { bindLog } from "./log.js";
import { bindOverview } from "./overview.js";
import { bindPages } from "./pages.js";
import { bindPeople } from "./people.js";
import { bindPerson } from "./person.js";
import { bindPlans } from "./plans.js";
import { bindSetup } from "./setup.js";
import { bindTitles } from "./titles.js";
import { bindUploads } from "./uploads.js";

/**
 * Return the index of the tab that a key selects when the tab at `index` of `count` has the focus; null for other keys.
 * @param {string} key
 * @param {number} index
 * @param {number} count
 */
export function tabAfter(key, index, count) {
  if (key === "ArrowRight") return (index + 1) % count;
  if (key === "ArrowLeft") return (index + count - 1) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}

/**
 * Bind tabs as in the tabs pattern of the ARIA Authoring Practices; `open(name)` is called with the tab that is shown.
 * @param {HTMLElement} root
 * @param {(name: string) => void} open
 */
function bindTabs(root, open) {
  const tabs = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[role=tab]")]);
  const nameOf = (/** @type {HTMLElement} */ tab) => tab.dataset.tab ?? "";
  const panelOf = (/** @type {HTMLElement} */ tab) => /** @type {HTMLElement} */ (root.querySelector(`#${tab.getAttribute("aria-controls")}`));
  const show = (/** @type {HTMLElement} */ wanted, { focus = false } = {}) => {
    for (const tab of tabs) {
      const isShown = tab === wanted;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      panelOf(tab).hidden = !isShown;
    }
    wanted.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (focus) wanted.focus();
    history.replaceState(null, "", `#${nameOf(wanted)}`);
    open(nameOf(wanted));
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => show(tab));
    tab.addEventListener("keydown", (event) => {
      const next = tabAfter(event.key, index, tabs.length);
      if (next === null) return;
      event.preventDefault();
      show(tabs[next], { focus: true });
    });
  });
  const named = () => tabs.find((tab) => `#${nameOf(tab)}` === location.hash);
  window.addEventListener("hashchange", () => {
    const tab = named();
    if (tab) show(tab);
  });
  show(named() ?? tabs[0]);
}

/**
 * Return the state of the page for a session; the API checks every request itself.
 * @param {{ admin?: boolean, factor?: string }} session
 */
export function stateFor({ admin, factor = "none" }) {
  if (!admin) return "denied";
  return factor === "none" ? "factor" : "known";
}

async function admission() {
  const known = (await ready()) ?? (await leaveFor(loginAddress(), { back: false }));
  if (stateFor(known) === "known") return "known";
  const me = await persist(() => authorized("me"));
  update(me);
  return stateFor(me);
}

/** @param {HTMLElement} root */
async function start(root) {
  let state;
  try {
    state = await admission();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    hook(root, "away-text").textContent = error.message;
    hook(root, "reload").addEventListener("click", () => location.reload());
    showState(root, "away");
    return;
  }
  if (state !== "known") {
    showState(root, state);
    return;
  }
  bindAbsence(root, { isAdmitted: (now) => stateFor(now) === "known" });
  showState(root, "known"); // before there are entries, because these have states of their own
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-part="${name}"]`));
  const encodes = bindEncodes(part("encodes"));
  bindUploads(part("upload"), ({ kind }) => { if (kind === "film") encodes.expect(); });
  bindPerson(part("person"));
  /** @type {Record<string, { look: () => unknown }>} */
  const parts = { overview: bindOverview(part("overview")), films: encodes, titles: bindTitles(part("titles")), people: bindPeople(part("people")), plans: bindPlans(part("plans")), pages: bindPages(part("pages")), setup: bindSetup(part("setup")), log: bindLog(part("log")) };
  bindTabs(root, (name) => parts[name].look());
}

const page = rootOf("studio");
if (page) start(page);
