/**
 * The words of the ticker, by language. English is part of the script; the others are fetched, once, from the feed's own site;
 * a page adds its own with `strings.pl = {…}`. What a language lacks is in English.
 */
import en from './en.js';

/** @typedef {typeof en} Words */

/** @type {Record<string, Partial<Words> | undefined>} */
export const strings = { en };

/** Kept once the words are there. @type {Record<string, Promise<void>>} */
const coming = {};

/**
 * The words for a language tag and the language they are in, or nothing while they are on their way.
 *
 * @param {string} tag
 * @param {string} site address of the feeds' site
 * @param {() => void} ready called once they are there
 * @returns {Words | undefined}
 */
export function wordsFor(tag, site, ready) {
	const short = tag.slice(0, 2).toLowerCase();
	tag = tag.replace('_', '-');
	try {
		tag.length.toLocaleString(tag);
	} catch {
		// Every format would throw on what is no language tag.
		tag = short;
	}
	const words = strings[tag] ?? strings[short];
	if (words) return { ...en, ...words, language: tag };
	if (!/ar|de|es|fr|uk/.test(short)) return en;
	// biome-ignore lint/suspicious/noAssignInExpressions: every byte of the ticker counts
	(coming[short] ??= fetch(`${site}/ticker-strings/${short}.json`)
		.then((answer) => answer.json())
		.catch(() => en)
		.then((got) => {
			strings[short] = got;
		})).then(ready);
}

/** Put a number into words of the form `one|other` or `one|few|many`, by the language's own rules. @param {string} forms @param {number} n @param {string} language */
export function plural(forms, n, language) {
	const rule = new Intl.PluralRules(language).select(n);
	// Any other rule is at -1: the last form.
	const form = forms.split('|').at(['one', 'few'].indexOf(rule)) ?? forms;
	return form.replace('{n}', n.toLocaleString(language));
}
