/** Whether whoever is logged in may watch; asked for by pages that can do without an answer. */
import { authorized, ready } from "../account/session.js";
import { RequestError } from "../net.js";

/** True or false; null where nobody is logged in or it cannot be found out. */
export async function fetchAccess() {
  if (!(await ready())) return null;
  try {
    const { entitlement } = await authorized("me", { leave: false });
    return entitlement ? entitlement.entitled : null;
  } catch (error) {
    if (error instanceof RequestError) return null;
    throw error;
  }
}
