/** Says what is new to those who listen to the page: one short message at a time, and not often. */
import { make } from './dom.js';

/** At most one message in this many ms. */
const HUSH = 5000;

/**
 * Make a voice. Its element has to stand in the page from the start, or screen readers miss the first words.
 *
 * @param {(texts: string[]) => string} summarize
 */
export function voice(summarize) {
	const element = make('div', { role: 'status' });
	/** @type {Map<number, string>} */
	const unsaid = new Map();
	let saidAt = -HUSH;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer;
	const speak = () => {
		timer = undefined;
		saidAt = performance.now();
		element.textContent = summarize([...unsaid.values()]);
		unsaid.clear();
	};
	return {
		element,
		/** Take back what was said and was to be said of an item: it is withdrawn. @param {number} id */
		unsay(id) {
			unsaid.delete(id);
			element.textContent = '';
		},
		/** Say it soon. @param {number} id @param {string} [text] */
		say(id, text = '') {
			unsaid.set(id, text);
			if (!timer) timer = setTimeout(speak, Math.max(100, saidAt + HUSH - performance.now()));
		},
	};
}
