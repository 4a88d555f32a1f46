/** The account at the right of the bar: a way to log in, or the person's initial with what is theirs behind it. */
import { hooks } from "../dom.js";
import { leaveFor, logOut, loginAddress, onChange, ready, session } from "./session.js";
import { nextOf, withNext } from "./next.js";

/** The letter that stands for a person; "?" for an address without one. */
export function initialOf(email) {
  const [first] = [...(email ?? "").normalize("NFC")].filter((letter) => /[\p{L}\p{N}]/u.test(letter));
  return first?.toLocaleUpperCase("en") ?? "?";
}

function bind(root) {
  const at = hooks(root);
  const isOpen = () => at.opener.getAttribute("aria-expanded") === "true";
  const open = (opened) => {
    at.opener.setAttribute("aria-expanded", String(opened));
    at.panel.hidden = !opened;
  };
  const write = (known) => {
    at.login.hidden = Boolean(known);
    at.person.hidden = !known;
    if (!known) open(false);
    at.initial.textContent = initialOf(known?.email);
    at.address.textContent = known?.email ?? "";
    at.studio.hidden = !known?.admin;
  };

  at.opener.addEventListener("click", () => open(!isOpen()));
  root.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !isOpen()) return;
    open(false);
    at.opener.focus();
  });
  root.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !root.contains(relatedTarget)) open(false);
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (isOpen() && !root.contains(target)) open(false);
  });
  at.logout.addEventListener("click", async () => {
    await logOut();
    await leaveFor("/login.html?why=out");
  });
  at.login.href = root.dataset.account === "gate" ? withNext(at.login.pathname, nextOf(location)) : loginAddress();
  write(session());
  onChange(write);
  ready(); // another tab may know more
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) write(session()); // the page comes back from the browser's memory, as it was then
  });
}

const root = globalThis.document?.querySelector("[data-account]");
if (root) bind(root);
