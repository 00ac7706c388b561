/**
 * One item of a ticker as DOM.
 *
 * @import { ArticleOptions } from '../../types/parts.d.ts'
 * @import { Item, Revision } from '../../types/wire.d.ts'
 */
import { linkTo, renderBlock } from '../dom/blocks.js';
import { renderChanges } from '../dom/changes.js';
import { make } from '../dom/make.js';

/** What may stand beside a time; the first two are fields of an item, the others its status. */
const BADGES = /** @type {('breaking' | 'pinned')[]} */ (['breaking', 'pinned', 'held', 'killed']);

/**
 * Render an item or its tombstone, which is little more than its note, as an `article`.
 *
 * @param {Item} item
 * @param {ArticleOptions} options
 * @param {Revision[]} [history] when what its updates changed is to be shown
 */
export function renderArticle(item, options, history) {
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
		// Its text is set by the rows, which know the server's time.
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
