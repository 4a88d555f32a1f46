/** Whether the logged-in viewer may watch, for pages that also work without this information. */
import { authorized, ready } from "../account/session.js";
import { orElse } from "../net.js";

/** @typedef {{ entitled: boolean, suspended: boolean }} Access */

/**
 * Return whether the viewer may watch and, if not, whether a failed payment is the reason; null if nobody is logged in
 * or the API does not respond.
 * @returns {Promise<Access | null>}
 */
export async function fetchAccess() {
  if (!(await ready())) return null;
  const me = await orElse(authorized("me", { leave: false }), null);
  if (!me?.entitlement) return null;
  const { entitled } = me.entitlement;
  return { entitled, suspended: !entitled && (await isSuspended()) };
}

/**
 * Return whether the viewer's subscription is suspended because a payment failed.
 * @returns {Promise<boolean>}
 */
export async function isSuspended() {
  const subscription = await orElse(authorized("subscription", { leave: false }), null);
  return subscription?.state === "suspended";
}
