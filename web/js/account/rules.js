/** Checks of an email address and a password before they are sent, with the API's own limits; pure functions. */

export const LEAST_PASSWORD = 8;
export const MOST_PASSWORD = 128;
const LONGEST_ADDRESS = 254;

/**
 * Return a sentence that says what is wrong with an address; "" if nothing obvious is wrong.
 * @param {string} address
 */
export function addressFault(address) {
  const text = address.trim();
  if (!text) return "Enter your email address.";
  const at = text.lastIndexOf("@");
  if (at < 1 || at === text.length - 1 || /\s/.test(text)) return "Enter a complete address, such as name@example.org.";
  return text.length > LONGEST_ADDRESS ? "That is too long for an email address." : "";
}

/**
 * Return a sentence that says what is wrong with the length of a new password; "" if nothing is wrong. Whether the
 * password is easy to guess is checked by the API.
 * @param {string} password
 */
export function passwordFault(password) {
  const length = [...password].length;
  if (!length) return "Choose a password.";
  if (length < LEAST_PASSWORD) return `That is ${length} character${length === 1 ? "" : "s"}; use ${LEAST_PASSWORD} or more.`;
  return length > MOST_PASSWORD ? `That is more than ${MOST_PASSWORD} characters. Choose a shorter one.` : "";
}

/** @param {string} password */
export const givenFault = (password) => (password ? "" : "Enter your password.");

/**
 * Return only the fields that have an error.
 * @param {Record<string, string>} faults
 */
export const faultsOf = (faults) => Object.fromEntries(Object.entries(faults).filter(([, text]) => text));
