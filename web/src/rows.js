/**
 * One item as DOM. Words come as text, links only as http(s), nothing as HTML.
 *
 * @import { Item, Revision, Span } from '../types/wire.d.ts'
 * @import { RowOptions, Times } from '../types/modules.d.ts'
 */
import { wordDiff, wordsOf } from './diff.js';
import { make } from './dom.js';

/** Kept words shown on either side of a change, before the rest is elided. */
const CONTEXT = 8;

/**
 * Render an item or its tombstone as an `article`.
 *
 * @param {Item} item
 * @param {RowOptions} options
 */
export function renderItem(item, options) {
	const { words, times, layout, href } = options;
	const { published_at, headline, language, note } = item;
	const killed = item.status === 'killed';
	const full = layout === 'list';
	const published = Date.parse(published_at);
	const date = times.dated(published);
	/** @param {string} at */
	const clock = (at) => times.beside(Date.parse(at), published);
	/** @param {'breaking' | 'pinned' | 'held' | 'killed'} part @param {boolean | undefined} shown */
	const badge = (part, shown) => shown && make('b', { part: `badge ${part}` }, words[part]);
	const meta = make(
		'p',
		{ part: 'meta' },
		// Worded again by whoever keeps the page's clock.
		make('time', { part: 'time', datetime: published_at, title: date }, date),
		badge('breaking', item.breaking),
		badge('pinned', item.pinned),
		badge('held', item.status === 'held'),
		badge('killed', killed),
	);
	const text = { lang: language, dir: 'auto' };
	if (killed)
		return make('article', {}, meta, note && make('p', { part: 'note', dir: 'auto' }, note));
	return make(
		'article',
		{},
		meta,
		make(
			'p',
			{ part: 'headline', role: 'heading', 'aria-level': options.level, ...text },
			make('a', { part: 'link', href }, headline),
		),
		full && make('div', { part: 'body', ...text }, ...(item.blocks ?? []).map(renderBlock)),
		full && renderCredit(item),
		...(item.corrections ?? []).map(({ at, note }) =>
			make(
				'p',
				{ part: 'correction', ...text },
				make('b', {}, words.correction),
				` ${clock(at)} `,
				note,
			),
		),
		item.updated_at &&
			layout !== 'line' &&
			make(
				'button',
				{ part: 'updated', type: 'button', value: item.id, 'aria-expanded': 'false' },
				words.updated.replace('{t}', clock(item.updated_at)),
			),
	);
}

/** A paragraph. @param {Span[]} spans */
export const renderBlock = (spans) =>
	make(
		'p',
		{},
		...spans.map((span) => {
			if (typeof span === 'string') return span;
			/** @type {Node | string} */
			let node = span.text;
			if (span.em) node = make('em', {}, node);
			if (span.strong) node = make('strong', {}, node);
			return linkTo(span.href, node);
		}),
	);

/** @param {string | undefined} href @param {Node | string} node */
const linkTo = (href, node) =>
	/^https?:/i.test(href ?? '') ? make('a', { part: 'link', href, rel: 'noopener' }, node) : node;

/** @param {Item} item */
const renderCredit = ({ byline, source, url }) =>
	(byline || source || url) &&
	make(
		'p',
		{ part: 'credit' },
		byline && make('span', { dir: 'auto' }, byline),
		linkTo(url, make('span', { dir: 'auto' }, source ?? url)),
	);

/**
 * Render what each update changed, newest first.
 *
 * @param {Revision[]} history oldest first
 * @param {{ updated: string }} words
 * @param {Pick<Times, 'beside'>} times
 */
export const renderChanges = (history, { updated }, times) =>
	make(
		'div',
		{ part: 'changes', dir: 'auto' },
		...history
			.flatMap((revision, i) =>
				i
					? make(
							'p',
							{},
							make(
								'b',
								{},
								updated.replace(
									'{t}',
									times.beside(Date.parse(revision.at), Date.parse(history[0].at)),
								),
							),
							'\n',
							...wordDiff(plain(history[i - 1]), plain(revision)).map(renderEdit),
						)
					: [],
			)
			.reverse(),
	);

/** @param {Revision} revision */
const plain = ({ headline, blocks = [] }) =>
	[
		headline,
		...blocks.map((spans) =>
			spans.map((span) => (typeof span === 'string' ? span : span.text)).join(''),
		),
	].join('\n');

/** @param {import('../types/modules.d.ts').Edit} edit */
const renderEdit = ({ kind, text }) => {
	if (kind) return make(kind < 0 ? 'del' : 'ins', {}, text);
	const kept = wordsOf(text);
	return kept.length > 2 * CONTEXT + 4
		? `${kept.slice(0, CONTEXT).join('')} […]${kept.slice(-CONTEXT).join('')}`
		: text;
};
