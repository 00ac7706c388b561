/**
 * Older items, a page at a time, brought up to date before they are shown.
 *
 * @import { Connection, Older } from '../../types/feed.d.ts'
 * @import { Message, Page } from '../../types/wire.d.ts'
 */
import { applyPage, completePage, isBehind } from './client.js';

/** A cache may have a page that is too old to be brought up to date: it is asked for once more, past the caches. */
const CACHES = /** @type {RequestCache[]} */ (['no-cache', 'reload']);

/**
 * Load the next older page into the connection's state. Rejects when it cannot be loaded now.
 *
 * @param {Connection} connection
 * @param {{ limit?: number, tag?: string | null, q?: string | null }} [asked] which list it is a page of
 * @returns {Promise<Older>}
 */
export async function loadOlder(connection, { limit = 50, tag, q } = {}) {
	const { state } = connection;
	for (const cache of CACHES) {
		const { next } = state;
		if (!next) return { outcome: 'end', items: [] };
		const query = new URLSearchParams({ limit: `${limit}`, before: next });
		if (tag) query.set('tag', tag);
		if (q) query.set('q', q);
		const page = await completed(connection, await get(connection, `/items?${query}`, cache));
		if (page && page.epoch !== state.epoch) return { outcome: 'replaced', items: [] };
		// A snapshot may have come meanwhile, with another place for older pages to start.
		if (!page || next !== state.next) continue;
		applyPage(state, page);
		return { outcome: 'added', items: page.items };
	}
	throw new Error('the page is too old to be brought up to date');
}

/** @param {Connection} connection @param {string} path @param {RequestCache} [cache] */
async function get({ apiUrl }, path, cache = 'no-cache') {
	const answer = await fetch(apiUrl + path, { cache, credentials: 'omit' });
	if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
	return answer.json();
}

/** Bring a page up to what the client knows; undefined when it is too old for that. @param {Connection} connection @param {Page} page */
async function completed(connection, page) {
	const { state } = connection;
	if (page.epoch !== state.epoch) return page;
	if (page.cursor === state.cursor && !isBehind(state, page)) return page;
	let known = page;
	do {
		/** @type {Message} */
		const message = await get(connection, `/changes?since=${known.cursor}`);
		if (message.epoch !== page.epoch) return { ...page, epoch: message.epoch };
		if (message.type !== 'changes') return undefined;
		const { cursor } = known;
		known = completePage(known, message);
		// A cache that is behind would only answer the same again.
		if (known.cursor === cursor && isBehind(state, known)) return undefined;
	} while (isBehind(state, known));
	return known;
}
