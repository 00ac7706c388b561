/**
 * Which items a view shows, and in what order.
 *
 * @import { Item, State } from '../types/wire.d.ts'
 * @import { View } from '../types/modules.d.ts'
 */
import { inOrder, pinsFirst } from './client.js';

/**
 * List the items to show. `view.matched` keeps what was ever shown under the filter: a withdrawn item has no tags left,
 * and its row must say so all the same.
 *
 * @param {State} state
 * @param {View} view
 * @returns {Item[]}
 */
export function select(state, { tags, max, oldestFirst, pending, vetoed, matched }) {
	const items = [...state.items.values()]
		.filter((item) => {
			const { id } = item;
			if (hasTag(item, tags)) matched.add(id);
			else if (item.status !== 'killed') matched.delete(id);
			return matched.has(id) && !pending.has(id) && !vetoed.has(id);
		})
		.sort(inOrder)
		.slice(0, max);
	return oldestFirst ? items.reverse().sort(pinsFirst) : items;
}

/** Tell whether an item bears one of the tags; none asked for means all do. @param {Item} item @param {string[]} tags */
export const hasTag = (item, tags) => !tags.length || tags.some((tag) => item.tags?.includes(tag));

/** How many of the pending items still are news. @param {State} state @param {View} view */
export const countWaiting = ({ items }, { pending, tags }) =>
	[...pending].filter((id) => {
		const item = items.get(id);
		return item && item.status !== 'killed' && hasTag(item, tags);
	}).length;
