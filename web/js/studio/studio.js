/** The studio: where an administrator runs the service. Its tabs look things up when they are opened. */
import "../nav.js";
import { hook } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { showState } from "../account/form.js";
import { authorized, leaveFor, loginAddress, onChange, ready, update } from "../account/session.js";
import { bindEncodes } from "./encodes.js";
import { bindPeople, bindPlans } from "./people.js";
import { bindTitles } from "./titles.js";
import { bindUploads } from "./uploads.js";

/** The tab that a key leads to from the one at `index` of `count`; null for keys that lead nowhere. */
export function tabAfter(key, index, count) {
  if (key === "ArrowRight") return (index + 1) % count;
  if (key === "ArrowLeft") return (index + count - 1) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}

/** Tabs after the pattern of the ARIA Authoring Practices; `open(name)` is told which one is shown. */
function bindTabs(root, open) {
  const tabs = [...root.querySelectorAll("[role=tab]")];
  const nameOf = (tab) => tab.dataset.tab;
  const show = (wanted, { focus = false } = {}) => {
    for (const tab of tabs) {
      const isShown = tab === wanted;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      root.querySelector(`#${tab.getAttribute("aria-controls")}`).hidden = !isShown;
    }
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
  window.addEventListener("hashchange", () => { if (named()) show(named()); });
  show(named() ?? tabs[0]);
}

async function isAdministrator() {
  const known = await ready();
  if (!known) await leaveFor(loginAddress(), { back: false });
  if (known.admin) return true; // the API says so itself at every request
  const me = await persist(() => authorized("me"));
  update(me);
  return me.admin;
}

async function start(root) {
  let admitted;
  try {
    admitted = await isAdministrator();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    hook(root, "away-text").textContent = error.message;
    hook(root, "reload").addEventListener("click", () => location.reload());
    showState(root, "away");
    return;
  }
  if (!admitted) {
    showState(root, "denied");
    return;
  }
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const encodes = bindEncodes(part("encodes"));
  bindUploads(part("upload"), ({ kind }) => { if (kind === "film") encodes.expect(); });
  const parts = { films: encodes, titles: bindTitles(part("titles")), people: bindPeople(part("people")), plans: bindPlans(part("plans")) };
  showState(root, "known");
  bindTabs(root, (name) => parts[name].look());
  onChange((now, elsewhere) => { if (!now && elsewhere) leaveFor(loginAddress(), { back: false }); });
}

const root = globalThis.document?.querySelector("[data-studio]");
if (root) start(root);
