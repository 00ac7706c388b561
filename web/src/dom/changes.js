/**
 * What updates changed, word by word: which items a reader has opened behind "Updated", and what stands there.
 *
 * @import { Edit, Times } from '../../types/feed.d.ts'
 * @import { Item, Revision } from '../../types/wire.d.ts'
 */
import { linesOf } from '../feed/blocks.js';
import { wordDiff } from '../feed/diff.js';
import { make } from './make.js';

/** What is left out of kept words: all but some 50 characters on either side, if that is worth it. */
const MIDDLE = /^(.{40,60}\s).{40,}?(\s.{40,60})$/s;

/**
 * Let the buttons in a list, whose values are ids of items, open and close what changed.
 *
 * @param {HTMLElement} list
 * @param {(id: number) => Promise<Revision[]>} historyOf
 * @param {() => void} repaint
 */
export function changesIn(list, historyOf, repaint) {
	/** @type {Map<number, { version: number, revisions?: Revision[] }>} */
	const opened = new Map();
	list.onclick = ({ target }) => {
		const id = +(/** @type {any} */ (target).closest('button')?.value);
		if (!id) return;
		if (!opened.delete(id)) opened.set(id, { version: 0 });
		repaint();
	};
	return {
		/** Close all. */
		clear: () => opened.clear(),
		/**
		 * The texts of an item that readers were shown, if it is open and they are loaded. They are loaded anew for each version.
		 *
		 * @param {Item} item
		 * @param {HTMLElement} row to be filled anew, without its `data-rendered`, once they are loaded
		 */
		revisionsOf({ id, version, status }, row) {
			if (status === 'killed') opened.delete(id);
			const open = opened.get(id);
			if (open && open.version !== version) {
				open.version = version;
				historyOf(id)
					.catch(() => [])
					.then((revisions) => {
						open.revisions = revisions ?? [];
						row.dataset.rendered = '';
						repaint();
					});
			}
			return open?.revisions;
		},
	};
}

/**
 * Render what each update changed, newest first; one that left all words as they were is only named.
 *
 * @param {Revision[]} history oldest first
 * @param {{ updated: string, correction: string, error: string }} words the last is shown when there is no history
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
const plain = ({ headline, blocks }) => [headline, ...linesOf(blocks)].join('\n');

/** An edit behind its space, which is no part of what changed: a line through one reads as a minus. @param {Edit} edit @returns {(Node | string | false)[]} */
const renderEdit = ({ kind, text }) => {
	if (kind)
		return [text.split(/\S/)[0], make(kind < 0 ? 'del' : 'ins', {}, text.trim()), kind < 0 && ' '];
	return [text.replace(MIDDLE, '$1[…]$2')];
};
