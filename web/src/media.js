/**
 * An item's pictures. Not in the ticker: under a host page's own policy they would be blocked, and reported.
 *
 * @import { Item } from '../types/wire.d.ts'
 */
import { make } from './dom.js';

/** Render the first picture of an item, for `renderItem`'s `media` option. @param {Item} item */
export function renderMedia({ media: [first] = [] }) {
	if (!/^https?:/i.test(first?.url)) return;
	const { url, alt = '', width, height, credit } = first;
	return make(
		'figure',
		{ part: 'media' },
		make('img', { loading: 'lazy', width, height, alt, src: url }),
		credit && make('figcaption', { dir: 'auto' }, credit),
	);
}
