/**
 * The Studio while nobody is logged in. The page stays as it is, because an owner may have typed a text or may be
 * uploading a film: a dialog covers it until the owner has logged in in another tab.
 */
import { hooks } from "../dom.js";
import { loginAddress, onChange, session, stayWhenLoggedOut } from "../account/session.js";

/** @import { AccountSession } from "../types.js" */

/**
 * Cover the page whenever its session ends. `reload()` is called if somebody else has logged in, or an owner who may no
 * longer use the Studio.
 * @param {HTMLElement} root
 * @param {{ isAdmitted: (session: AccountSession) => boolean, reload?: () => void }} how
 */
export function bindAbsence(root, { isAdmitted, reload = () => location.reload() }) {
  const at = hooks(root);
  const owner = session()?.user_id;
  stayWhenLoggedOut();
  at["absence-login"].href = loginAddress();
  at.absence.addEventListener("cancel", (/** @type {Event} */ event) => event.preventDefault());
  onChange((now) => {
    if (!now) {
      if (!at.absence.open) at.absence.showModal();
    } else if (now.user_id !== owner || !isAdmitted(now)) reload();
    else if (at.absence.open) at.absence.close();
  });
}
