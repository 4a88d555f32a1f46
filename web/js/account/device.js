/**
 * Logging in, as a device that is known. The API answers a login with a signed text about this device; the next login on
 * it sends the text along and has priority while many people log in. It grants no access, so it stays after a logout.
 */
import { api, ask } from "../net.js";
import { storage } from "./session.js";

/** @import { AccountSession, NewSession } from "../types.js" */
/** @typedef {Pick<Storage, "getItem" | "setItem">} DeviceStore */

const KEY = "notflix.device";

/**
 * Return the body of a login on this device.
 * @param {{ email: string, password: string }} credentials
 * @param {DeviceStore} store
 * @returns {{ email: string, password: string, device?: string }}
 */
export function loginBody({ email, password }, store) {
  const device = store.getItem(KEY);
  return device ? { email, password, device } : { email, password };
}

/**
 * Keep what the answer to a login says of this device, and return the session.
 * @param {NewSession} answer
 * @param {DeviceStore} store
 * @returns {AccountSession}
 */
export function keepDevice({ device, ...session }, store) {
  try {
    if (device) store.setItem(KEY, device);
  } catch {
    // the storage is full: this device has no priority next time
  }
  return session;
}

/**
 * Open a session; raise RequestError.
 * @param {{ email: string, password: string }} credentials
 * @returns {Promise<AccountSession>}
 */
export async function openSession(credentials, store = storage("localStorage")) {
  return keepDevice(await ask(api("sessions"), { method: "POST", body: loginBody(credentials, store) }), store);
}
