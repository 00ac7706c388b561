/**
 * Older items, a page at a time, brought up to date before they are shown.
 *
 * @import { Connection } from '../../types/feed.d.ts'
 * @import { Message, Page } from '../../types/wire.d.ts'
 */
import { applyPage, completePage, isBehind } from './client.js';

/** Load the next older page into the connection's state; false when there is none, or when the feed was replaced meanwhile. @param {Connection} connection @param {number} [limit] */
export async function loadOlder({ state, apiUrl }, limit = 50) {
	/** @param {string} path */
	const get = async (path) => {
		const answer = await fetch(apiUrl + path, { cache: 'no-cache', credentials: 'omit' });
		if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
		return answer.json();
	};
	const { next } = state;
	if (!next) return false;
	/** @type {Page} */
	let page = await get(`/items?limit=${limit}&before=${encodeURIComponent(next)}`);
	if (page.cursor !== state.cursor || isBehind(state, page))
		do {
			/** @type {Message} */
			const message = await get(`/changes?since=${page.cursor}`);
			const { cursor } = page;
			if (message.type !== 'changes') return false;
			page = completePage(page, message);
			// A cache that is behind would only say the same again.
			if (page.cursor === cursor && isBehind(state, page)) return false;
		} while (isBehind(state, page));
	return next === state.next && applyPage(state, page);
}
