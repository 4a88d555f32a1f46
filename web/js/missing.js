/** The page for addresses that do not exist. A title's page that is not written yet is shown by title.html instead. */
import "./nav.js";
import { titleIdIn } from "./addresses.js";
import { inLanguage } from "./texts.js";

const path = globalThis.document ? (new URLSearchParams(location.search).get("path") ?? location.pathname) : "";
const id = titleIdIn({ pathname: path, search: "" });
if (id) location.replace(inLanguage(`/title.html?id=${encodeURIComponent(id)}`));
