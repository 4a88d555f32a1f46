/**
 * Logs in and remembers this device. The API's response to a login contains a signed token for the device. The next
 * login on the device sends the token and has priority while many people log in. The token grants no access, so it is
 * kept after a logout.
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
 * Store the device token from the response to a login, and return the session in it.
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
