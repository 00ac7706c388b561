/**
 * The key points of a feed over the rows of a ticker, folded until the reader opens them.
 *
 * @import { Feed } from '../../types/wire.d.ts'
 * @import { RowOptions } from '../../types/parts.d.ts'
 */
import { renderBlock } from '../dom/blocks.js';
import { make } from '../dom/make.js';
import { pushDown, QUIETLY } from '../dom/motion.js';

/** Make the box on top of a scroller. @param {HTMLElement} scroller */
export function summaryIn(scroller) {
	const head = make('summary');
	const box = make('details', { part: 'summary', hidden: '' }, head);
	scroller.append(box);
	/** @type {string | undefined} */
	let painted;
	/** Show the key points of a feed, or none. @param {Feed | undefined | false} feed @param {Pick<RowOptions, 'words' | 'times' | 'now'>} options */
	return (feed, { words, times, now }) => {
		const { summary, summary_at, language, slug, version } =
			feed || /** @type {Partial<Feed>} */ ({});
		const at = Date.parse(`${summary_at}`);
		const updated = at && words.updated.replace('{t}', times.beside(at, now));
		const wanted = `${summary && [slug, version]} ${words.language} ${updated}`;
		if (wanted === painted) return;
		painted = wanted;
		const blocks = [summary ?? []].flat();
		pushDown(scroller, [/** @type {HTMLElement} */ (box.nextSibling)], () => {
			const focused = box.querySelector('div :focus');
			box.hidden = !blocks[0];
			head.replaceChildren(words.summary, ' ', updated ? make('small', {}, updated) : '');
			const attributes = { part: 'body', lang: language, dir: 'auto' };
			head.nextSibling?.remove();
			if (blocks[0]) box.append(make('div', attributes, ...blocks.map(renderBlock)));
			if (focused) head.focus(QUIETLY);
		});
	};
}
