/** The zone on which an owner drops files. */

/**
 * Call `onFiles` with the files that are dropped on a zone, and `onFolder` if there is a folder among them.
 * @param {HTMLElement} zone
 * @param {{ onFiles: (files: File[]) => void, onFolder: () => void }} how
 */
export function bindDropZone(zone, { onFiles, onFolder }) {
  const over = (/** @type {boolean} */ on) => zone.classList.toggle("is-over", on);
  // a file dropped outside the zone must not replace the page
  for (const kind of /** @type {const} */ (["dragover", "drop"])) {
    window.addEventListener(kind, (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
  }
  zone.addEventListener("dragenter", () => over(true));
  zone.addEventListener("dragover", () => over(true));
  zone.addEventListener("dragleave", ({ relatedTarget }) => { if (!(relatedTarget instanceof Node && zone.contains(relatedTarget))) over(false); });
  zone.addEventListener("drop", ({ dataTransfer }) => {
    over(false);
    const entries = [...(dataTransfer?.items ?? [])].filter(({ kind }) => kind === "file");
    const isFolder = (/** @type {DataTransferItem} */ item) => Boolean(item.webkitGetAsEntry?.()?.isDirectory);
    onFiles(entries.filter((item) => !isFolder(item)).map((item) => item.getAsFile()).filter((file) => file !== null));
    if (entries.some(isFolder)) onFolder();
  });
}
