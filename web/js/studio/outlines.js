/** Outlines of the pages that an owner writes; the parts in ‹ › are to be replaced before a page can be published. */
import { t } from "../texts.js";

/** @type {Record<string, string>} */
export const OUTLINES = {
  terms: t("pages.outline_terms"),
  privacy: t("pages.outline_privacy"),
  imprint: t("pages.outline_imprint"),
  help: t("pages.outline_help"),
  contact: t("pages.outline_contact"),
};

/**
 * Return a sentence that says why a text cannot be published; "" if it can.
 * @param {string} text
 */
export function textFault(text) {
  if (!text.trim()) return t("pages.write_text_first");
  const open = /‹[^›]*›?/.exec(text);
  return open ? t("pages.replace_first", { text: open[0].split("\n")[0] }) : "";
}
