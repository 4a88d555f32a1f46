/** What is asked of an address and a password before they are sent, in the API's own measures; pure. */

export const LEAST_PASSWORD = 8;
export const MOST_PASSWORD = 128;
const LONGEST_ADDRESS = 254;

/** What is wrong with an address, in a sentence; "" if nothing is plainly wrong. */
export function addressFault(address) {
  const text = address.trim();
  if (!text) return "Enter your email address.";
  const at = text.lastIndexOf("@");
  if (at < 1 || at === text.length - 1 || /\s/.test(text)) return "Enter a whole address, such as name@example.org.";
  return text.length > LONGEST_ADDRESS ? "That is too long for an email address." : "";
}

/** What is wrong with the length of a new password, in a sentence; "" if nothing is. Whether it is easily guessed, the API tells. */
export function passwordFault(password) {
  const length = [...password].length;
  if (!length) return "Choose a password.";
  if (length < LEAST_PASSWORD) return `That is ${length} character${length === 1 ? "" : "s"}; ${LEAST_PASSWORD} or more are needed.`;
  return length > MOST_PASSWORD ? `That is more than ${MOST_PASSWORD} characters; choose a shorter one.` : "";
}

export const givenFault = (password) => (password ? "" : "Enter your password.");

/** Only the faults there are, by field. */
export const faultsOf = (faults) => Object.fromEntries(Object.entries(faults).filter(([, text]) => text));
