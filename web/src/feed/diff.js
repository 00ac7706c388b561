/** What changed between two texts, word by word. @import { Edit } from '../../types/feed.d.ts' */

/** A table of this many cells is made in a few ms; longer texts are shown whole, old and new. */
const MAX_CELLS = 1_000_000;

/**
 * Compare by words; joined, the kept and removed words give the old text, the kept and added ones the new.
 *
 * @param {string} before
 * @param {string} after
 * @returns {Edit[]} runs `{kind: -1 removed | 0 kept | 1 added, text}`
 */
export function wordDiff(before, after) {
	const a = wordsOf(before);
	const b = wordsOf(after);
	/** @type {Edit[]} */
	const runs = [];
	/** @param {-1 | 0 | 1} kind @param {string} text */
	const add = (kind, text) => {
		const last = runs.at(-1);
		if (last?.kind === kind) last.text += text;
		else if (text) runs.push({ kind, text });
	};
	if (a.length * b.length > MAX_CELLS) {
		add(-1, before);
		add(1, after);
		return runs;
	}
	// common[i][j]: how many words a[i…] and b[j…] have in common, in order.
	const common = [...a, ''].map(() => new Uint16Array(b.length + 1));
	for (let i = a.length; i--; )
		for (let j = b.length; j--; )
			common[i][j] =
				a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
	let i = 0;
	let j = 0;
	while (i < a.length || j < b.length)
		if (a[i] === b[j]) {
			add(0, a[i++]);
			j++;
		} else if (j === b.length || common[i + 1]?.[j] >= common[i][j + 1]) add(-1, a[i++]);
		else add(1, b[j++]);
	return runs;
}

/** Split into words, each with the space before it, and line breaks, which keep changes at either side apart. @param {string} text */
export const wordsOf = (text) => text.match(/\n|[^\S\n]*\S+/g) ?? [];
