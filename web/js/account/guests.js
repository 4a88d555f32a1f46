/**
 * Opens the login page for guests, as a script inside a page that only members see (web/build.py). It runs before the
 * page loads anything else. If a tab of this browser may have a session, account/members.js decides. A downloaded film
 * plays without a session, and so does a trailer.
 */
{
  const mayBeMember = () => {
    try {
      return Boolean(sessionStorage.getItem("notflix.session") ?? localStorage.getItem("notflix.session")) || localStorage.getItem("notflix.session.elsewhere") !== null;
    } catch {
      return true; // storage is refused, so other tabs must be asked
    }
  };
  const root = document.documentElement;
  const prefix = root.lang === root.dataset.languages?.split(" ")[0] ? "" : `/${root.lang}`;
  if (!root.hidden && !["offline", "trailer"].some((word) => new URLSearchParams(location.search).has(word)) && !mayBeMember()) {
    root.hidden = true;
    window.stop(); // nothing else of this page is loaded
    const next = location.pathname.slice(prefix.length) + location.search + location.hash;
    location.replace(`${prefix}/login.html?${new URLSearchParams({ next })}`);
  }
}
