/**
 * Where a page begins: the state in which the server rendered it, read from its rows.
 *
 * @import { State } from '../../types/feed.d.ts'
 * @import { Item } from '../../types/wire.d.ts'
 */
import { newestFirst } from '../feed/client.js';

/**
 * Go to the page around an item that the address names (`#item-4`) and that is not on this one, if there is such an item.
 *
 * @param {string} src the feed page
 * @param {string} apiUrl
 */
export async function goToNamed(src, apiUrl) {
	const id = /^#item-(\d{1,15})$/.exec(location.hash)?.[1];
	const around = `${src}?at=${id}`;
	if (!id || document.getElementById(`item-${id}`) || around.endsWith(location.search || '?'))
		return;
	const { status } = await fetch(`${apiUrl}/items/${id}`, { credentials: 'omit' });
	// A withdrawn one has its place in the list, too.
	if (status === 200 || status === 410) location.replace(`${around}#item-${id}`);
}

/** Put the state of the rendered page into the connection's. @param {State} state @param {HTMLElement} list */
export function readPage(state, list) {
	const { src = '', epoch = '', cursor = '', next = '', heartbeat, tag } = list.dataset;
	state.epoch = epoch;
	state.cursor = cursor;
	state.next = next;
	state.heartbeat = Number(heartbeat);
	for (const row of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('.item'))) {
		const { id, version, at = '', pinned } = row.dataset;
		/** @type {Item} What is known of an item without its words, which stand in its row. */
		const item = {
			id: Number(id),
			feed: `${src.split('/').pop()}`,
			version: Number(version),
			status: row.classList.contains('killed') ? 'killed' : 'live',
			published_at: at,
			pinned: pinned === '',
			tags: tag ? [tag] : [],
			corrections: [...row.querySelectorAll('.correction')].map(() => ({ at: '', note: '' })),
		};
		state.versions.set(item.id, item.version);
		state.items.set(item.id, item);
	}
	const unpinned = [...state.items.values()].filter((item) => !item.pinned);
	// Without older pages there is no floor.
	if (next) state.floor = unpinned.sort(newestFirst).at(-1);
}
