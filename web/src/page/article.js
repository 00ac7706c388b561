/**
 * One item in the markup of web/pages/parts.html, but that "Updated" is a button here, which opens what changed.
 * tests/browser/test_page_plain.py holds the two to each other.
 *
 * @import { Item, Media } from '../../types/wire.d.ts'
 * @import { PageWords, RowOptions, Wording } from '../../types/page.d.ts'
 */

import { renderBlock } from '../dom/blocks.js';
import { make } from '../dom/make.js';

/**
 * Render an item or its tombstone.
 *
 * @param {Item} item
 * @param {RowOptions} options
 * @param {boolean} dated whether the time itself says its day, as no day heading stands above
 */
export function renderArticle(item, { wording, src, language: usual, level }, dated) {
	const { id, status, published_at, language = usual } = item;
	const { words } = wording;
	const at = Date.parse(published_at);
	const url = `${src}/items/${id}`;
	const killed = status === 'killed';
	const text = { lang: language, dir: 'auto' };
	/** @param {string} kind @param {boolean | undefined} shown */
	const badge = (kind, shown) => shown && make('b', { class: `badge ${kind}` }, words[kind]);
	const meta = make(
		'p',
		{ class: 'meta' },
		make(
			'a',
			{ class: 'when', href: url },
			time(wording, at, dated ? wording.dated(at) : wording.clock(at)),
		),
		badge('breaking', item.breaking),
		badge('pinned', item.pinned && level === 1),
		badge('held', status === 'held'),
		killed && make('b', { class: 'badge killed', id: `name-${id}` }, words.killed),
		updated(item, wording),
	);
	const attributes = {
		class: `item ${status}${item.breaking ? ' breaking' : ''}`,
		id: `item-${id}`,
		'data-id': id,
		'data-version': item.version,
		'data-at': published_at,
		'data-pinned': item.pinned ? '' : undefined,
		'aria-labelledby': `${killed ? 'name' : 'headline'}-${id}`,
	};
	if (killed)
		return make(
			'article',
			attributes,
			meta,
			item.note && make('p', { class: 'note', dir: 'auto' }, item.note),
		);
	const { headline = '', blocks = [], media = [], corrections = [], tags = [] } = item;
	return make(
		'article',
		attributes,
		meta,
		make(
			/** @type {'h1' | 'h3'} */ (`h${level}`),
			{ class: 'headline', id: `headline-${id}`, ...text },
			level === 1 ? document.createTextNode(headline) : make('a', { href: url }, headline),
		),
		blocks.length > 0 && make('div', { class: 'body', ...text }, ...blocks.map(renderBlock)),
		...media.map((medium, i) => renderMedium(medium, words, level === 1 && i === 0)),
		credit(item, wording),
		...corrections.map((correction) => {
			const when = Date.parse(correction.at);
			return make(
				'p',
				{ class: 'correction' },
				make('b', {}, words.correction),
				' ',
				time(wording, when, wording.beside(when, at)),
				' ',
				make('span', text, correction.note),
			);
		}),
		tags.length > 0 &&
			make(
				'ul',
				{ class: 'tags' },
				...tags.map((tag) => {
					const href = `${src}?tag=${encodeURIComponent(tag)}`;
					return make('li', {}, make('a', { href, rel: 'tag', dir: 'auto' }, tag));
				}),
			),
		make('button', {
			class: 'share',
			type: 'button',
			'aria-label': words.share,
			'aria-describedby': `headline-${id}`,
		}),
	);
}

/**
 * Make the button that opens what an update changed.
 *
 * @param {number | string} id
 * @param {...(Node | string)} children
 */
export const changesButton = (id, ...children) =>
	make(
		'button',
		{ class: 'updated', type: 'button', value: id, 'aria-expanded': 'false' },
		...children,
	);

/** @param {Item} item @param {Wording} wording */
function updated({ id, updated_at, published_at }, wording) {
	if (!updated_at) return;
	const ms = Date.parse(updated_at);
	const label = wording.beside(ms, Date.parse(published_at));
	return changesButton(id, ...timed(wording, wording.words.updated, ms, label));
}

/** @param {Item} item @param {Wording} wording */
function credit({ byline, source, url, occurred_at }, wording) {
	if (!byline && !source && !url && !occurred_at) return;
	const happened = Date.parse(occurred_at ?? '');
	const linked = isWebLink(url);
	const name = source || url;
	return make(
		'p',
		{ class: 'credit' },
		byline && make('span', { class: 'byline' }, make('bdi', {}, byline)),
		name &&
			make(
				'span',
				{},
				source ? wording.words.source : wording.words.elsewhere,
				' ',
				linked
					? make('a', { href: url }, make('bdi', {}, source || hostOf(url)))
					: make('bdi', {}, name),
			),
		occurred_at &&
			make(
				'span',
				{},
				...timed(wording, wording.words.happened, happened, wording.dated(happened)),
			),
	);
}

/**
 * A picture, which leads to the whole of it, or a video or sound to be played.
 *
 * @param {Media} media
 * @param {PageWords} words
 * @param {boolean} eager whether it is the page's top picture
 */
function renderMedium({ url, type, alt, width, height, caption, credit }, { whole }, eager) {
	if (!isWebLink(url)) return;
	const played = /^(video|audio)\//.exec(type ?? '')?.[1];
	return make(
		'figure',
		{},
		played
			? make(/** @type {'video' | 'audio'} */ (played), {
					src: url,
					controls: '',
					preload: 'none',
					'aria-label': alt,
					...(played === 'video' && { width, height }),
				})
			: make(
					'a',
					{ class: 'whole', href: url, 'aria-label': alt ? undefined : whole },
					make('img', {
						src: url,
						alt: alt ?? '',
						width,
						height,
						loading: eager ? 'eager' : 'lazy',
					}),
				),
		(caption || credit) &&
			make(
				'figcaption',
				{},
				caption && make('span', { class: 'caption', dir: 'auto' }, caption),
				' ',
				credit && make('span', { class: 'by', dir: 'auto' }, credit),
			),
	);
}

/** @param {Wording} wording @param {number} ms @param {string} label */
const time = (wording, ms, label) =>
	make('time', { datetime: new Date(ms).toISOString(), title: wording.dated(ms) }, label);

/** A sentence with a time in it. @param {Wording} wording @param {string} text @param {number} ms @param {string} label */
export function timed(wording, text, ms, label) {
	const [before, after] = text.split('{t}');
	return [before, time(wording, ms, label), after].filter(Boolean);
}

/** @param {string | undefined} url */
const isWebLink = (url) => /^https?:\/\//i.test(url ?? '');

/** The host as typed: a browser would encode a name that is not ASCII. @param {string} [url] */
const hostOf = (url = '') =>
	/^https?:\/\/(?:[^/?#]*@)?(\[[^\]]*\]|[^/?#:]+)/i.exec(url)?.[1].toLowerCase() ?? url;
