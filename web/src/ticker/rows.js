/**
 * A list of items on the page: rows that change in place, day separators, and "what changed" behind "Updated".
 *
 * @import { Item, Revision } from '../../types/wire.d.ts'
 * @import { ListOptions, RowOptions } from '../../types/modules.d.ts'
 */
import { changesIn } from '../dom/changes.js';
import { make } from '../dom/make.js';
import { QUIETLY, slide } from '../dom/motion.js';
import { renderItem } from './article.js';

/**
 * Make the list in its scroller.
 *
 * @param {HTMLElement} scroller
 * @param {(id: number) => Promise<Revision[]>} history
 * @param {() => void} repaint asks for a call of `paint`
 */
export function itemList(scroller, history, repaint) {
	const list = make('ol', { part: 'list', role: 'list' });
	scroller.append(list);
	/** Rows by id, separators by day. @type {Map<number | string, HTMLLIElement>} */
	let rows = new Map();
	const changes = changesIn(list, history, repaint);
	// Else a row that is hidden and shown again would flash once more.
	list.onanimationend = ({ target }) => /** @type {Element} */ (target).part.remove('new');

	/** @param {HTMLElement} li @param {Item} item @param {RowOptions} options @param {unknown[]} look */
	function fill(li, item, options, look) {
		const revisions = changes.of(item, li);
		const key = `${item.version} ${!revisions} ${look}`;
		if (li.dataset.look === key) return;
		li.dataset.look = key;
		const focused = /** @type {HTMLAnchorElement | null} */ (li.querySelector(':focus'));
		li.replaceChildren(renderItem(item, options, revisions));
		// A reader who stood on a link or button of the old text stands on the same one of the new, else at its top.
		if (!focused) return;
		const links = /** @type {HTMLAnchorElement[]} */ ([...li.querySelectorAll('a, button')]);
		(links.find(({ href }) => href === focused.href) ?? links[0])?.focus(QUIETLY);
	}

	return {
		/** Forget the rows. */
		clear() {
			rows.clear();
			changes.clear();
		},
		/**
		 * Show these items, in this order, touching only what changed.
		 *
		 * @param {Item[]} items
		 * @param {Set<number>} fresh ids to be marked as new
		 * @param {ListOptions} look
		 * @param {string} src the feed page
		 */
		paint(items, fresh, look, src) {
			const { words, times, now, mode, layout, level } = look;
			const known = rows;
			rows = new Map();
			/** @param {number | string} key @param {string} part @param {string} [text] */
			const row = (key, part, text) => {
				const li = known.get(key) ?? make('li', { part }, text);
				rows.set(key, li);
				return li;
			};
			const writes = items.map((item) => {
				const { id, pinned } = item;
				const ms = Date.parse(item.published_at);
				const dated = pinned || layout === 'line';
				const day = times.day(ms);
				if (!dated) row(day, 'day', day);
				const li = row(id, fresh.has(id) ? 'item new' : 'item');
				return () => {
					const key = [words.language, times.dated(ms), layout, level, dated];
					fill(li, item, { ...look, href: `${src}/items/${id}` }, key);
					const time = /** @type {HTMLElement} */ (li.querySelector('time'));
					const label = times.label(ms, now, mode, dated);
					if (time.textContent !== label) time.textContent = label;
				};
			});
			if (!items.length) row('', 'empty', words.empty);
			slide(scroller, list, [...rows.values()], writes);
		},
	};
}
