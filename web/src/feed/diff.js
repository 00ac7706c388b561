/** What changed between two texts, word by word, or character by character where words have no spaces between. @import { Edit } from '../../types/feed.d.ts' */

/** A table of this many cells is made in a few ms; what changed of longer texts is shown whole, old and new. */
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
	let i = 0;
	while (i < a.length && a[i] === b[i]) add(0, a[i++]);
	a.splice(0, i);
	b.splice(0, i);
	/** @type {string[]} */
	const end = [];
	while (a[0] && a.at(-1) === b.at(-1)) {
		end.push(`${a.pop()}`);
		b.pop();
	}
	if (a.length * b.length > MAX_CELLS) {
		add(-1, a.splice(0).join(''));
		add(1, b.splice(0).join(''));
	}
	// common[i][j]: how many words a[i…] and b[j…] have in common, in order.
	const common = [...a, ''].map(() => new Uint16Array(b.length + 1));
	for (i = a.length; i--; )
		for (let j = b.length; j--; )
			common[i][j] =
				a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
	i = 0;
	let j = 0;
	while (i < a.length || j < b.length)
		if (a[i] === b[j]) {
			add(0, a[i++]);
			j++;
		} else if (j === b.length || common[i + 1]?.[j] >= common[i][j + 1]) add(-1, a[i++]);
		else add(1, b[j++]);
	while (end[0]) add(0, `${end.pop()}`);
	return runs;
}

/** Where words have no spaces between them, a character is one. */
const WORD =
	/\n|[^\S\n]*(?:[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]\p{M}*|(?:(?![\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}])\S)+)/gu;

/** Split into words, each with the space before it, and line breaks, which keep changes at either side apart. @param {string} text */
export const wordsOf = (text) => text.match(WORD) ?? [];
