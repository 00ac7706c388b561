/**
 * The box of key points over the list, in the markup of web/pages/parts.html; it changes live with the feed.
 *
 * @import { Feed } from '../../types/wire.d.ts'
 * @import { Wording } from '../../types/page.d.ts'
 */
import { renderBlock } from '../dom/blocks.js';
import { make } from '../dom/make.js';
import { pushDown, QUIETLY } from '../dom/motion.js';
import { timed } from './article.js';
import { isBeside } from './rows.js';

/**
 * Take over the box that the server rendered; only a front page has one.
 *
 * @param {Wording} wording
 */
export function takeOverSummary(wording) {
	const box = document.getElementById('summary');
	return {
		/** Forget what is shown: it is of another journal. */
		clear() {
			delete box?.dataset.version;
		},
		/** Show the key points of a feed. @param {Feed} feed @param {number} [near] the time that stands below them, in ms */
		paint(feed, near) {
			if (!box) return;
			const made = renderSummary(feed, wording, near);
			const [before, after] = [box, made].map((each) => each.querySelector('time'));
			const version = `${feed.version}`;
			if (box.dataset.version === version) {
				// Another day may stand below them now.
				if (before && after && before.textContent !== after.textContent) before.replaceWith(after);
				return;
			}
			const focused = box.querySelector(':focus');
			// In a wide window the box stands in a column of its own, over what is pinned.
			const pinned = '#list > .pinned, #list > [data-pinned]';
			const below = document.querySelectorAll(isBeside(box) ? pinned : '#list, #list ~ *, #foot');
			const write = () => {
				box.dataset.version = version;
				box.hidden = made.hidden;
				box.setAttribute('aria-labelledby', 'summary-name');
				box.replaceChildren(...made.childNodes);
			};
			if (below.length)
				pushDown(/** @type {HTMLElement} */ (document.scrollingElement), [...below], write);
			else write();
			if (focused) document.getElementById('news')?.focus(QUIETLY);
			// What only machines read has the former ones.
			document.querySelector('script[type="application/ld+json"]')?.remove();
		},
	};
}

/** Render the key points. @param {Feed} feed @param {Wording} wording @param {number} [near] ms */
export function renderSummary({ summary, summary_at, language, version }, wording, near) {
	const attributes = { class: 'summary', id: 'summary', 'data-version': version };
	const blocks = [summary ?? []].flat();
	if (!blocks.length) return make('section', { ...attributes, hidden: '' });
	const { words } = wording;
	const ms = Date.parse(summary_at ?? '');
	const label = () => (near === undefined ? wording.dated(ms) : wording.beside(ms, near));
	return make(
		'section',
		{ ...attributes, 'aria-labelledby': 'summary-name' },
		make('h2', { id: 'summary-name' }, words.summary),
		make(
			'p',
			{ class: 'meta' },
			...(Number.isNaN(ms) ? [] : timed(wording, words.updated, ms, label())),
		),
		make('div', { class: 'body', lang: language, dir: 'auto' }, ...blocks.map(renderBlock)),
	);
}
