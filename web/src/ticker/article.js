/**
 * One item as DOM. Words come as text, links only as http(s), nothing as HTML.
 *
 * @import { Item, Revision, Span } from '../../types/wire.d.ts'
 * @import { Edit, RowOptions, Times } from '../../types/modules.d.ts'
 */

import { make } from '../dom/make.js';
import { wordDiff } from '../feed/diff.js';

/** What may stand beside a time; the first two are said of an item, the others are its status. */
const BADGES = /** @type {('breaking' | 'pinned')[]} */ (['breaking', 'pinned', 'held', 'killed']);

/** What is left out of kept words: all but some 50 characters on either side, if that is worth it. */
const MIDDLE = /^(.{40,60}\s).{40,}?(\s.{40,60})$/s;

/**
 * Render an item or its tombstone, which is little more than its note, as an `article`.
 *
 * @param {Item} item
 * @param {RowOptions} options
 * @param {Revision[]} [history] when what its updates changed is to be shown
 */
export function renderItem(item, options, history) {
	const { words, times, layout, href } = options;
	const { published_at, headline, language, note } = item;
	const full = layout === 'list';
	const updated = layout !== 'line' && item.updated_at;
	const published = Date.parse(published_at);
	/** @param {string} at */
	const clock = (at) => times.beside(Date.parse(at), published);
	const meta = make(
		'p',
		{ part: 'meta' },
		// Worded by whoever keeps the page's clock.
		make('time', { part: 'time', title: times.dated(published), datetime: published_at }),
		...BADGES.map(
			(part) =>
				(item[part] || item.status === /** @type {string} */ (part)) &&
				make('b', { part: `badge ${part}` }, words[part]),
		),
	);
	const text = { lang: language, dir: 'auto' };
	return make(
		'article',
		{},
		meta,
		note && make('p', { part: 'note', dir: 'auto' }, note),
		headline &&
			make(
				'p',
				{ part: 'headline', role: 'heading', 'aria-level': options.level, ...text },
				make('a', { part: 'link', href }, headline),
			),
		full && item.blocks && make('div', { part: 'body', ...text }, ...item.blocks.map(renderBlock)),
		full && renderCredit(item),
		...(item.corrections ?? []).map(({ at, note }) =>
			make(
				'p',
				{ part: 'correction' },
				make('b', {}, words.correction),
				` ${clock(at)} `,
				make('span', text, note),
			),
		),
		updated &&
			make(
				'button',
				{ part: 'updated', value: item.id, 'aria-expanded': !!history },
				words.updated.replace('{t}', clock(updated)),
			),
		updated && history && renderChanges(history, words, times),
	);
}

/** A paragraph. @param {Span[]} spans */
export const renderBlock = (spans) =>
	make(
		'p',
		{},
		...spans.map((span) => {
			// A plain string has none of these.
			const { text, em, strong, href } = /** @type {Exclude<Span, string>} */ (span);
			/** @type {Node | string} */
			let node = text ?? span;
			if (em) node = make('em', {}, node);
			if (strong) node = make('strong', {}, node);
			return linkTo(href, node);
		}),
	);

/** @param {string | undefined} href @param {Node | string} node */
const linkTo = (href, node) =>
	/^https?:/i.test(/** @type {any} */ (href)) ? make('a', { part: 'link', href }, node) : node;

/** @param {Item} item */
const renderCredit = ({ byline, source, url }) =>
	(byline || source || url) &&
	make(
		'p',
		{ part: 'credit' },
		byline && make('bdi', {}, byline),
		byline && (source || url) && ' · ',
		linkTo(url, make('bdi', {}, source ?? url?.split('/')[2])),
	);

/**
 * Render what each update changed, newest first; one that left all words as they were is only named.
 *
 * @param {Revision[]} history oldest first
 * @param {{ updated: string, correction: string, error: string }} words the last is said when there is no history
 * @param {Pick<Times, 'beside'>} times
 */
export const renderChanges = (history, words, times) =>
	make(
		'div',
		{ part: 'changes' },
		!history[0] && words.error,
		...history
			.slice(1)
			.map((revision, i) => {
				const { at, verb } = revision;
				const time = times.beside(Date.parse(at), Date.parse(history[0].at));
				const edits = wordDiff(plain(history[i]), plain(revision));
				return make(
					'div',
					{},
					make(
						'b',
						{},
						verb === 'correct' ? `${words.correction} ${time}` : words.updated.replace('{t}', time),
					),
					edits.some(({ kind }) => kind) &&
						make('p', { dir: 'auto' }, ...edits.flatMap(renderEdit)),
				);
			})
			.reverse(),
	);

/** @param {Revision} revision */
const plain = ({ headline, blocks = [] }) =>
	[
		headline,
		...blocks.map((spans) => spans.map((span) => /** @type {any} */ (span).text ?? span).join('')),
	].join('\n');

/** An edit between spaces, which are no part of what changed: a line through one reads as a minus. @param {Edit} edit @returns {(Node | string)[]} */
const renderEdit = ({ kind, text }) => {
	if (kind) return [text.split(/\S/)[0], make(kind < 0 ? 'del' : 'ins', {}, text.trim()), ' '];
	return [text.replace(MIDDLE, '$1[…]$2')];
};
