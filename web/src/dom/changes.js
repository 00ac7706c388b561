/**
 * Which items a reader has opened behind "Updated", and the texts to compare there.
 *
 * @import { Item, Revision } from '../../types/wire.d.ts'
 */

/**
 * Let the buttons of a list, whose values are ids of items, open and close what changed.
 *
 * @param {HTMLElement} list
 * @param {(id: number) => Promise<Revision[]>} history
 * @param {() => void} repaint
 */
export function changesIn(list, history, repaint) {
	/** @type {Map<number, { version: number, revisions?: Revision[] }>} */
	const opened = new Map();
	list.onclick = ({ target }) => {
		const id = +(/** @type {any} */ (target).closest('button')?.value);
		if (!id) return;
		if (!opened.delete(id)) opened.set(id, { version: 0 });
		repaint();
	};
	return {
		/** Close all. */
		clear: () => opened.clear(),
		/**
		 * What was shown of an item, if it is open and known; asked for again with each version of it.
		 *
		 * @param {Item} item
		 * @param {HTMLElement} row to be filled anew, without its `data-look`, when the answer is there
		 */
		of({ id, version, status }, row) {
			if (status === 'killed') opened.delete(id);
			const open = opened.get(id);
			if (open && open.version !== version) {
				open.version = version;
				history(id)
					.catch(() => [])
					.then((revisions) => {
						open.revisions = revisions ?? [];
						row.dataset.look = '';
						repaint();
					});
			}
			return open?.revisions;
		},
	};
}
