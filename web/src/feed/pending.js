/**
 * News that waits behind the "new updates" button: one set of rules for page and ticker. No DOM and no clock of its own.
 *
 * @import { Change, News, Pending } from '../../types/feed.d.ts'
 */

/** More items than this within BURST_MS are a burst: the others wait, wherever the reader is. */
const AT_ONCE = 3;
const BURST_MS = 250;

/**
 * Tell what a change is to a reader: a new item, breaking or not, or a correction. Imported changes, withdrawals and other
 * edits are no news.
 *
 * @param {Change} change
 * @returns {News}
 */
export function newsIn({ item, before, unknown }) {
	const { headline, imported, breaking, corrections = [] } = item;
	if (!headline || imported) return '';
	if (before && corrections.length > (before.corrections?.length ?? 0)) return 'correction';
	return unknown ? (breaking ? 'breaking' : 'news') : '';
}

/**
 * Begin with nothing pending.
 *
 * @param {(id: number) => boolean} isShown whether an item would be shown if it did not wait; one that was withdrawn meanwhile would not
 * @returns {Pending}
 */
export function newPending(isShown) {
	/** @type {Set<number>} */
	const ids = new Set();
	/** @type {Set<number>} */
	const arrived = new Set();
	let burst = 0;
	let burstAt = -BURST_MS;
	return {
		ids,
		arrived,
		count: () => [...ids].filter(isShown).length,
		add(id, tick, disturbs) {
			if (tick - burstAt >= BURST_MS) {
				burst = 0;
				burstAt = tick;
			}
			// What comes after an item that waits, waits with it: the button leads to all of them.
			if (++burst > AT_ONCE || [...ids].some(isShown) || disturbs()) ids.add(id);
			arrived.add(id);
		},
		clear() {
			ids.clear();
			arrived.clear();
		},
	};
}
