/**
 * Starts a page that only members see: it loads the page's own modules if somebody is logged in, and otherwise opens the
 * login page. A downloaded film and a trailer play without a session.
 */
import { leaveFor, loginAddress, ready } from "./session.js";

const modules = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template[data-modules]"));
const isOpen = ["offline", "trailer"].some((word) => new URLSearchParams(location.search).has(word));
if (isOpen || (await ready())) await import(modules?.dataset.modules ?? "");
else await leaveFor(loginAddress(), { back: false });
