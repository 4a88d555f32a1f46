/** Offers the download of a film; its scripts are loaded only for viewers who may download it. */

/**
 * Show the button that downloads a film.
 * @param {HTMLElement} root the button's element, whose `data-download` is the address of its script
 * @param {string} titleId
 */
export async function offerDownload(root, titleId, { resume = false } = {}) {
  const scripts = await import(root.dataset.download ?? "").catch(() => null); // no connection: nothing is offered
  await scripts?.showDownload(root, titleId, { resume });
}
