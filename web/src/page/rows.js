/**
 * The rows of a page: those that the server has rendered are taken over, and from then on only what changed is changed.
 *
 * @import { PageRows, RowOptions } from '../../types/page.d.ts'
 * @import { Item, Revision } from '../../types/wire.d.ts'
 */
import { changesIn, renderChanges } from '../dom/changes.js';
import { make } from '../dom/make.js';
import { slide } from '../dom/motion.js';
import { bareItem } from '../feed/client.js';
import { changesButton, renderArticle } from './article.js';

/**
 * Take over the rows of a list.
 *
 * @param {HTMLElement} list
 * @param {RowOptions} options
 * @param {(id: number) => Promise<Revision[]>} historyOf
 * @param {() => void} repaint asks for a call of `paint`
 * @returns {PageRows}
 */
export function takeOverRows(list, options, historyOf, repaint) {
	const { wording, level } = options;
	const { words } = wording;
	/** @type {Map<number, HTMLElement>} */
	const rows = new Map();
	/** Items whose words are only in the server's row: it is kept though it leaves the page. @type {Set<number>} */
	const wordless = new Set();
	/** Headings by their text. @type {Map<string, HTMLElement>} */
	const headings = new Map();
	const changes = changesIn(list, historyOf, repaint);

	for (const row of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('.item'))) {
		rows.set(Number(row.dataset.id), row);
		wordless.add(Number(row.dataset.id));
		row.dataset.rendered = keyOf(
			Number(row.dataset.version),
			isDated(row.dataset.pinned === ''),
			false,
		);
		for (const link of row.querySelectorAll('a.updated'))
			link.replaceWith(changesButton(`${row.dataset.id}`, ...link.childNodes));
	}
	for (const heading of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('.day')))
		headings.set(`${heading.textContent}`.trim(), heading);

	// Else a row that moves would be marked as new once more.
	list.addEventListener('animationend', ({ target }) =>
		/** @type {Element} */ (target).classList.remove('new'),
	);

	/** @param {boolean} onTop */
	function isDated(onTop) {
		return level === 1 || (onTop && list.dataset.scope === 'front');
	}

	/** What a row's content depends on. @param {number} version @param {boolean} dated @param {boolean} open */
	function keyOf(version, dated, open) {
		return `${version} ${dated} ${open}`;
	}

	/** @param {Item} item @param {boolean} dated */
	function render(item, dated) {
		try {
			return renderArticle(item, options, dated);
		} catch {
			return renderArticle(bareItem(item), options, dated);
		}
	}

	/** @param {HTMLElement} row @param {Item} item @param {boolean} dated */
	function fill(row, item, dated) {
		const revisions = changes.revisionsOf(item, row);
		const wanted = keyOf(item.version, dated, Boolean(revisions));
		if (row.dataset.rendered === wanted) return;
		// Of an item that has not changed since, only the server's row has the words.
		if (item.headline !== undefined || item.status === 'killed') {
			replace(row, render(item, dated));
			wordless.delete(item.id);
		}
		row.dataset.rendered = wanted;
		toggle(row, revisions);
	}

	/** @param {HTMLElement} row @param {Revision[]} [revisions] */
	function toggle(row, revisions) {
		row.querySelector('.changes')?.remove();
		const button = row.querySelector('button.updated');
		if (button) button.ariaExpanded = `${Boolean(revisions)}`;
		if (!button || !revisions) return;
		const panel = renderChanges(revisions, /** @type {any} */ (words), wording);
		panel.className = 'changes';
		// Beside the button, however long the item is.
		row.querySelector('.meta')?.after(panel);
	}

	return {
		clear() {
			rows.clear();
			wordless.clear();
			headings.clear();
			changes.clear();
		},
		paint(items, arrived, pinsOnTop) {
			/** @type {Set<HTMLElement>} */
			const nodes = new Set();
			const writes = items.map((item) => {
				const onTop = pinsOnTop && Boolean(item.pinned);
				if (level > 1) nodes.add(headingOf(Date.parse(item.published_at), onTop));
				const row = rows.get(item.id) ?? make('article');
				rows.set(item.id, row);
				nodes.add(row);
				return () => {
					fill(row, item, level === 1 || onTop);
					if (arrived.delete(item.id)) row.classList.add('new');
				};
			});
			if (!items.length) nodes.add(make('p', { class: 'empty' }, list.dataset.nothing));
			const scroller = /** @type {HTMLElement} */ (document.scrollingElement);
			slide(scroller, list, [...nodes], writes, isBeside);
			for (const [id, row] of rows) if (!nodes.has(row) && !wordless.has(id)) rows.delete(id);
		},
	};

	/** @param {number} ms @param {boolean} onTop */
	function headingOf(ms, onTop) {
		const key = onTop ? words.pinned : `${wording.day(ms)} ${wording.offset(ms)}`;
		const heading =
			headings.get(key) ??
			(onTop
				? make('h2', { class: 'day pinned' }, key)
				: make(
						'h2',
						{ class: 'day' },
						make('span', {}, wording.day(ms)),
						' ',
						make('span', { class: 'zone' }, wording.offset(ms)),
					));
		headings.set(key, heading);
		return heading;
	}
}

/** Give a row the attributes and children of another, and keep the reader's focus: on the same link or button, else at its top. @param {HTMLElement} row @param {HTMLElement} other */
function replace(row, other) {
	const focused = /** @type {HTMLAnchorElement | null} */ (row.querySelector(':focus'));
	for (const { name } of [...row.attributes])
		if (name !== 'tabindex' && !other.hasAttribute(name)) row.removeAttribute(name);
	for (const { name, value } of other.attributes) row.setAttribute(name, value);
	row.replaceChildren(...other.childNodes);
	if (!focused) return;
	const links = /** @type {HTMLAnchorElement[]} */ ([...row.querySelectorAll('a, button')]);
	const same =
		links.find(({ href, className }) => href === focused.href && className === focused.className) ??
		links.find(({ href }) => href === focused.href);
	(same ?? links[0])?.focus({ preventScroll: true });
}

/** Tell whether an element stands in a column beside the others, in a wide window. @param {Element} node */
export const isBeside = (node) => getComputedStyle(node).float !== 'none';
