/**
 * Which items a view shows, and in what order.
 *
 * @import { Item, State } from '../../types/wire.d.ts'
 * @import { View } from '../../types/modules.d.ts'
 */
import { inOrder, pinsFirst } from './client.js';

/**
 * List the items to show. A withdrawn item has neither tags nor a headline left, and its row, if it was shown,
 * must say so all the same. In a line breaking news goes before all else.
 *
 * @param {State} state
 * @param {View} view
 * @returns {Item[]}
 */
export function select(state, { tags, max, line, oldestFirst, pending, vetoed, shown }) {
	const items = [...state.items.values()]
		.filter(
			(item) =>
				(hasTag(item, tags) || (!item.headline && shown?.some(({ id }) => id === item.id))) &&
				!pending.has(item.id) &&
				!vetoed.has(item.id),
		)
		.sort((a, b) => (line && Number(!a.breaking) - Number(!b.breaking)) || inOrder(a, b))
		.slice(0, line ? 1 : max);
	return oldestFirst ? items.reverse().sort(pinsFirst) : items;
}

/** Tell whether an item bears one of the tags; none asked for means all do. @param {Item} item @param {string[]} tags */
export const hasTag = (item, tags) => !tags.length || tags.some((tag) => item.tags?.includes(tag));

/** How many of the pending items still are news. @param {State} state @param {View} view */
export const countWaiting = ({ items }, { pending, tags }) =>
	[...pending].map((id) => items.get(id)).filter((item) => item?.headline && hasTag(item, tags))
		.length;
