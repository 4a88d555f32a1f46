/**
 * Loads the modules of a page that needs them late or not at all, as a script inside the page (web/build.py): they are
 * in `<template data-modules>`, before this script.
 *
 * If this tab or device has a session, they are loaded at once. A guest sees a published page complete without them, so
 * they come after its pictures, or as soon as the guest does something. A button that was pressed before they had come is
 * pressed again. If the template names an entry module, the page is for members only: see
 * account/members.js.
 */
{
  const PATIENCE_MS = 2000;
  const root = document.documentElement;
  const modules = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template[data-modules]"));
  /** @type {HTMLElement | null} the button that was pressed last, before any script could react */
  let pressed = null;
  const remember = (/** @type {Event} */ { target }) => { pressed = target instanceof Element ? target.closest("button") : null; };
  const press = () => {
    removeEventListener("click", remember);
    pressed?.click();
  };
  let isLoaded = false;
  const load = () => {
    if (!modules || isLoaded) return;
    isLoaded = true;
    const copy = /** @type {DocumentFragment} */ (modules.content.cloneNode(true));
    for (const script of copy.querySelectorAll("script")) script.async = false; // the texts run before the modules
    copy.querySelector("[type=module]")?.addEventListener("load", press);
    document.head.append(copy);
  };
  const hasSession = () => {
    try {
      return Boolean(sessionStorage.getItem("notflix.session") ?? localStorage.getItem("notflix.session"));
    } catch {
      return false; // storage is refused
    }
  };
  const isForMembers = Boolean(modules?.dataset.modules);
  if (!isForMembers) addEventListener("click", remember);
  if (hasSession()) {
    root.dataset.member = ""; // until account/menu.js has shown whose session it is
    load();
  } else if (!isForMembers) {
    for (const kind of ["focusin", "pointerdown", "keydown"]) addEventListener(kind, load, { once: true });
    addEventListener("load", () => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(load)))); // once they are drawn
    setTimeout(load, PATIENCE_MS);
  }
}
