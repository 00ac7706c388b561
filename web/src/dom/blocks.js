/**
 * The body of an item as DOM. Words come as text, links only as http(s), nothing as HTML.
 *
 * @import { Span } from '../../types/wire.d.ts'
 */
import { make } from './make.js';

/** Render a paragraph. @param {Span[]} spans */
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

/** Link a node, if the address is of the web. @param {string | undefined} href @param {Node | string} node */
export const linkTo = (href, node) =>
	/^https?:/i.test(/** @type {any} */ (href)) ? make('a', { part: 'link', href }, node) : node;
