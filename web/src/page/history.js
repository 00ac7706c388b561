/**
 * "What readers were shown" on an item's own page, in the markup of web/pages/item.html; what a reader has opened stays open.
 *
 * @import { Item, Revision } from '../../types/wire.d.ts'
 * @import { RowOptions } from '../../types/page.d.ts'
 */

import { renderBlock } from '../dom/blocks.js';
import { make } from '../dom/make.js';
import { timed } from './article.js';

/**
 * Show these texts, or nothing when there is but one.
 *
 * @param {Item} item
 * @param {Revision[]} history oldest first
 * @param {RowOptions} options
 * @param {HTMLElement} list what it stands below
 */
export function showHistory({ language: own }, history, { wording, language }, list) {
	const before = document.getElementById('shown');
	const entries = [...(before?.querySelectorAll('details') ?? [])].reverse();
	const focused = entries.findIndex((entry) => entry.matches(':focus-within'));
	const times = history.map(({ at }) => Date.parse(at));
	const labels = wording.apart(times);
	const renewed = history.map(({ verb, headline, blocks = [] }, i) => {
		const entry = make(
			'details',
			{},
			make(
				'summary',
				{},
				...timed(wording, wording.words[verb] ?? wording.words.update, times[i], labels[i]),
			),
			make(
				'div',
				{ lang: own ?? language ?? wording.words.language, dir: 'auto' },
				make('p', { class: 'headline' }, headline),
				make('div', { class: 'body' }, ...blocks.map(renderBlock)),
			),
		);
		entry.open = entries[i]?.open ?? false;
		return entry;
	});
	const section =
		before ??
		make(
			'section',
			{ class: 'shown', id: 'shown', 'aria-labelledby': 'shown-name' },
			make('h2', { id: 'shown-name' }, wording.words.earlier),
		);
	for (const entry of entries) entry.remove();
	section.append(...[...renewed].reverse());
	if (!before) list.after(section);
	if (history.length < 2) section.remove();
	renewed[focused]?.querySelector('summary')?.focus({ preventScroll: true });
}
