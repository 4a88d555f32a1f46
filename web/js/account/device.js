/**
 * Logs in and remembers this device. The API's response to a login contains a signed token for the device. The next
 * login on the device sends the token and has priority while many people log in. The token grants no access, so it is
 * kept after a logout.
 */
import { api, ask } from "../net.js";
import { storage } from "./session.js";

/** @import { AccountSession, FactorAnswer, FactorCheck, NewSession } from "../types.js" */
/** @typedef {Pick<Storage, "getItem" | "setItem">} DeviceStore */

const KEY = "notflix.device";

/**
 * Return the body of a login on this device.
 * @param {{ email: string, password: string }} credentials
 * @param {DeviceStore} store
 * @returns {{ email: string, password: string, device?: string }}
 */
export function loginBody({ email, password }, store) {
  return { email, password, ...knownDevice(store) };
}

/**
 * Store the device token from the response to a login, and return the session in it.
 * @param {NewSession} answer
 * @param {DeviceStore} store
 * @returns {AccountSession}
 */
export function keepDevice({ device, ...session }, store) {
  if (device) rememberDevice(device, store);
  return session;
}

/**
 * Open a session with the password; return the session, or the request for the second step. Raise RequestError.
 * @param {{ email: string, password: string }} credentials
 * @returns {Promise<{ session: AccountSession } | { check: FactorCheck }>}
 */
export async function openSession(credentials, store = storage("localStorage")) {
  const answer = await ask(api("sessions"), { method: "POST", body: loginBody(credentials, store) });
  return answer.step === "second_factor" ? { check: answer } : { session: keepDevice(answer, store) };
}

/**
 * Open a session with the answer to a request for the second step. Raise RequestError.
 * @param {FactorAnswer} answer
 * @param {DeviceStore} [store]
 */
export async function openWithFactor(answer, store = storage("localStorage")) {
  const body = { ...answer, ...knownDevice(store) };
  return keepDevice(await ask(api("sessions/second-factor"), { method: "POST", body }), store);
}

/**
 * Return the field by which the API recognises this device, `{ device }`, or no field.
 * @param {DeviceStore} [store]
 * @returns {{ device?: string }}
 */
export function knownDevice(store = storage("localStorage")) {
  const device = store.getItem(KEY);
  return device ? { device } : {};
}

/**
 * Store a token by which this device is known.
 * @param {string} device
 * @param {DeviceStore} [store]
 */
export function rememberDevice(device, store = storage("localStorage")) {
  try {
    store.setItem(KEY, device);
  } catch {
    // the storage is full: this device has no priority next time
  }
}
