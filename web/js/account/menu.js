/** The account at the right of the bar: a login link or the user's initial, each with a menu. */
import { hooks, rootOf, say } from "../dom.js";
import { leaveFor, logOut, loginAddress, onChange, ready, session } from "./session.js";
import { here, nextOf, withNext } from "./next.js";
import { LOCALE } from "../texts.js";

/** @import { AccountSession } from "../types.js" */

/**
 * Return the user's initial, taken from the email address; "?" if the address has no letter.
 * @param {string | null | undefined} email
 */
export function initialOf(email) {
  const [first] = [...(email ?? "").normalize("NFC")].filter((letter) => /[\p{L}\p{N}]/u.test(letter));
  return first?.toLocaleUpperCase(LOCALE) ?? "?";
}

/**
 * Make a button open and close its panel. Escape and any click or focus outside `box` also close it. Return a function
 * that closes the panel.
 * @param {{ box: HTMLElement, opener: HTMLElement, panel: HTMLElement }} menu
 */
function bindPopup({ box, opener, panel }) {
  const isOpen = () => opener.getAttribute("aria-expanded") === "true";
  const open = (/** @type {boolean} */ opened) => {
    opener.setAttribute("aria-expanded", String(opened));
    panel.hidden = !opened;
  };
  opener.addEventListener("click", () => open(!isOpen()));
  box.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !isOpen()) return;
    open(false);
    opener.focus();
  });
  box.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !box.contains(relatedTarget)) open(false);
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (isOpen() && target instanceof Node && !box.contains(target)) open(false);
  });
  return () => open(false);
}

/**
 * Return the id of the profile of a session; "" without a session.
 * @param {AccountSession | null} known
 */
const profileOf = (known) => known?.profile_id ?? known?.user_id ?? "";

/** @param {HTMLElement} root */
function bind(root) {
  const at = hooks(root);
  const close = bindPopup({ box: at.person, opener: at.opener, panel: at.panel });
  const closeGuest = bindPopup({ box: at.guest, opener: at["guest-opener"], panel: at["guest-panel"] });
  const write = (/** @type {AccountSession | null} */ known) => {
    at.guest.hidden = Boolean(known);
    delete document.documentElement.dataset.member; // start.js has hidden the links for guests
    at.person.hidden = !known;
    if (known) closeGuest();
    else close();
    at.initial.textContent = initialOf(known?.profile_name || known?.email);
    if (known?.profile_colour) at.opener.dataset.colour = known.profile_colour;
    else delete at.opener.dataset.colour;
    say(at["profile-name"], known?.profile_name ?? "");
    at.address.textContent = known?.email ?? "";
    at.studio.hidden = !known?.admin;
  };
  at.logout.addEventListener("click", async () => {
    await logOut();
    await leaveFor("/login.html?why=out");
  });
  at.profiles.href = withNext("/profiles.html", here(location));
  const used = profileOf(session());
  onChange((known, elsewhere) => {
    if (elsewhere && known && used && profileOf(known) !== used) location.reload(); // another tab uses another profile now
  });
  at.login.href = root.dataset.account === "gate" ? withNext(at.login.pathname, nextOf(location)) : loginAddress();
  write(session());
  onChange(write);
  ready(); // request the session from the other tabs, if this tab has none
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) write(session()); // "Back" restores the page with its old state
  });
}

const root = rootOf("account");
if (root) bind(root);
