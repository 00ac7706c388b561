/**
 * Which items a ticker shows, and in what order.
 *
 * @import { Selection, State } from '../../types/feed.d.ts'
 * @import { Item } from '../../types/wire.d.ts'
 */
import { inOrder, isAboveFloor, pinsFirst } from './client.js';

/**
 * List the items to show. A withdrawn item has neither tags nor a headline left, and its row, if there was one, must say
 * so all the same. In a line breaking news comes before all else.
 *
 * @param {State} state
 * @param {Selection} selection
 * @returns {Item[]}
 */
export function select(state, { tags, max, line, oldestFirst, pending, canceled, shown }) {
	const items = [...state.items.values()]
		.filter(
			(item) =>
				(hasTag(item, tags) || (!item.headline && shown?.some(({ id }) => id === item.id))) &&
				!pending.has(item.id) &&
				!canceled.has(item.id) &&
				// Another ticker may have reached further back for its tags.
				(tags[0] || item.pinned || isAboveFloor(state, item)),
		)
		.sort((a, b) => (line && Number(!a.breaking) - Number(!b.breaking)) || inOrder(a, b))
		.slice(0, max);
	return oldestFirst ? items.reverse().sort(pinsFirst) : items;
}

/** Tell whether an item has one of the tags; without tags every item has. @param {Item} item @param {string[]} tags */
export const hasTag = (item, tags) =>
	!tags[0] || item.tags?.some?.((own) => tags.some((tag) => fold(own) === fold(tag)));

/** @param {string} tag */
const fold = (tag) => `${tag}`.toLowerCase();
