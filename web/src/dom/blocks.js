/**
 * The body of an item as DOM. Words come as text, links only as http(s), nothing as HTML.
 *
 * @import { Block, Span } from '../../types/wire.d.ts'
 */
import { isParagraphs, isSpans, linesOf } from '../feed/blocks.js';
import { make } from './make.js';

/** Render a paragraph, list or quote; of any other kind of block, its words, if it has any. @param {Block} block @returns {HTMLElement | false} */
export function renderBlock(block) {
	const { list, ordered, quote, cite } = /** @type {any} */ (block ?? {});
	if (isSpans(block)) return make('p', {}, ...block.map(renderSpan));
	if (isParagraphs(list))
		return make(
			ordered ? 'ol' : 'ul',
			{},
			...list.map((spans) => make('li', {}, ...spans.map(renderSpan))),
		);
	if (isParagraphs(quote))
		return make('blockquote', {}, ...quote.map(renderBlock), cite && make('cite', {}, cite));
	const words = linesOf(block).join('\n');
	return words !== '' && make('p', {}, words);
}

/** @param {Span} span @returns {Node | string} */
function renderSpan(span) {
	// A plain string has none of these.
	const { text, em, strong, href } = /** @type {Exclude<Span, string>} */ (span);
	/** @type {Node | string} */
	let node = text ?? span;
	if (em) node = make('em', {}, node);
	if (strong) node = make('strong', {}, node);
	// On paper an address is not followed by itself.
	return linkTo(href, node, text === href ? 'link bare' : 'link');
}

/** Link a node, if the address is of the web. @param {string | undefined} href @param {Node | string} node @param {string} [part] */
export const linkTo = (href, node, part = 'link') =>
	/^https?:/i.test(/** @type {any} */ (href)) ? make('a', { part, href }, node) : node;
