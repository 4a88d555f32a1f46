/**
 * The page that the link in an email opens to confirm an address.
 *
 * A logged-in browser confirms at once. Any other browser asks first, because programs that scan emails open the links
 * and would otherwise confirm the address for whoever registered it.
 */
import { hook, rootOf } from "../dom.js";
import { api, ask, persist, RequestError } from "../net.js";
import { showState } from "./form.js";
import { takeToken } from "./gate.js";
import { ready, session, update } from "./session.js";

/**
 * @param {HTMLElement} root
 * @param {string} token
 */
async function confirm(root, token) {
  showState(root, "asking");
  let confirmed;
  try {
    confirmed = await persist(() => ask(api("confirmations"), { method: "POST", body: { token } }));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    hook(root, "trouble").textContent = error.message;
    showState(root, error.code === "link_over" ? "broken" : "trouble");
    return;
  }
  if (session()?.email === confirmed.email) update({ confirmed: true });
  hook(root, "address").textContent = confirmed.email;
  showState(root, "done");
}

/** @param {HTMLElement} root */
async function start(root) {
  const token = takeToken();
  const known = await ready();
  const links = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-when-known]"));
  for (const link of links) link.hidden = (link.dataset.whenKnown === "yes") !== Boolean(known);
  if (!token) {
    showState(root, "broken");
    return;
  }
  for (const name of ["confirm", "retry"]) hook(root, name).addEventListener("click", () => confirm(root, token));
  if (known) await confirm(root, token);
  else showState(root, "ready");
}

const page = rootOf("confirm");
if (page) start(page);
