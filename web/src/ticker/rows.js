/**
 * The rows of a ticker: they change in place, stand under their days, and show what changed behind "Updated".
 *
 * @import { ArticleOptions, RowOptions } from '../../types/parts.d.ts'
 * @import { Item, Revision } from '../../types/wire.d.ts'
 */
import { changesIn } from '../dom/changes.js';
import { make } from '../dom/make.js';
import { QUIETLY, slide } from '../dom/motion.js';
import { bareItem } from '../feed/client.js';
import { renderArticle } from './article.js';

/**
 * Make the list of rows in its scroller.
 *
 * @param {HTMLElement} scroller
 * @param {(id: number) => Promise<Revision[]>} historyOf
 * @param {() => void} repaint asks for a call of `paint`
 */
export function rowsIn(scroller, historyOf, repaint) {
	const list = make('ol', { part: 'list', role: 'list' });
	scroller.append(list);
	/** Rows by id, separators by day. @type {Map<number | string, HTMLLIElement>} */
	let rows = new Map();
	const changes = changesIn(list, historyOf, repaint);
	// Else a row that is hidden and shown again would flash once more.
	list.onanimationend = ({ target }) => /** @type {Element} */ (target).part.remove('new');

	/** @param {HTMLElement} li @param {Item} item @param {ArticleOptions} options @param {unknown[]} key what the row depends on beside the item */
	function fill(li, item, options, key) {
		const revisions = changes.revisionsOf(item, li);
		const wanted = `${item.version} ${!revisions} ${key}`;
		if (li.dataset.rendered === wanted) return;
		li.dataset.rendered = wanted;
		const focused = /** @type {HTMLAnchorElement | null} */ (li.querySelector(':focus'));
		let article;
		try {
			article = renderArticle(item, options, revisions);
		} catch {
			article = renderArticle(bareItem(item), options);
		}
		li.replaceChildren(article);
		// The focus goes from a link or button of the old text to the same one of the new, else to the row's first.
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
		 * @param {Set<number>} arrived ids to be marked as new
		 * @param {RowOptions} options
		 * @param {string} src the feed page
		 * @param {string} empty what stands in place of rows
		 */
		paint(items, arrived, options, src, empty) {
			const { words, times, now, timeMode, layout, level } = options;
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
				const alone = pinned || layout === 'line';
				const day = times.day(ms);
				if (!alone) row(day, 'day', day);
				const li = row(id, arrived.has(id) ? 'item new' : 'item');
				return () => {
					const key = [words.language, times.dated(ms), layout, level, alone];
					fill(li, item, { ...options, href: `${src}/items/${id}` }, key);
					const time = /** @type {HTMLElement} */ (li.querySelector('time'));
					const label = times.label(ms, now, timeMode, alone);
					if (time.textContent !== label) time.textContent = label;
				};
			});
			if (!items.length) row(empty, 'empty', empty);
			slide(scroller, list, [...rows.values()], writes);
		},
	};
}
