/** Checks of an email address and a password before they are sent, with the API's own limits; pure functions. */
import { t } from "../texts.js";

export const LEAST_PASSWORD = 8;
export const MOST_PASSWORD = 128;
const LONGEST_ADDRESS = 254;

/**
 * Return a sentence that says what is wrong with an address; "" if nothing obvious is wrong.
 * @param {string} address
 */
export function addressFault(address) {
  const text = address.trim();
  if (!text) return t("rules.enter_email_address");
  const at = text.lastIndexOf("@");
  if (at < 1 || at === text.length - 1 || /\s/.test(text)) return t("rules.enter_complete_address_such");
  return text.length > LONGEST_ADDRESS ? t("rules.too_long_for_email") : "";
}

/**
 * Return a sentence that says what is wrong with the length of a new password; "" if nothing is wrong. Whether the
 * password is easy to guess is checked by the API.
 * @param {string} password
 */
export function passwordFault(password) {
  const length = [...password].length;
  if (!length) return t("rules.choose_password");
  if (length < LEAST_PASSWORD) return t("rules.password_short", { count: length, least: LEAST_PASSWORD });
  return length > MOST_PASSWORD ? t("rules.password_long", { most: MOST_PASSWORD }) : "";
}

/** @param {string} password */
export const givenFault = (password) => (password ? "" : t("rules.enter_password"));

/**
 * Return only the fields that have an error.
 * @param {Record<string, string>} faults
 */
export const faultsOf = (faults) => Object.fromEntries(Object.entries(faults).filter(([, text]) => text));
