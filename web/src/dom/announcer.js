/** Says what is new to those who listen to the page: one short message at a time, and not often, however many have something to say. */
import { make } from './make.js';

/** Ms in which what belongs together comes together. */
const SOON = 100;
/** At most one message in this many ms. */
const HUSH = 5000;

/** Headlines by feed and item, and how feeds are: two views of one feed say the same, once. @type {Map<string, string>} */
const news = new Map();
/** @type {Set<string>} */
const states = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** Where something was said last: of any feed. @type {HTMLElement | undefined} */
let spoken;

/**
 * Make a voice. Its element has to stand in the page from the start, or screen readers miss the first words.
 *
 * @param {(count: number) => string | undefined} summarize
 */
export function voice(summarize) {
	const element = make('div', { role: 'status' });
	/** Speak for all, and hush. */
	const speak = () => {
		timer = undefined;
		const [one, two] = news.values();
		const texts = [two ? summarize(news.size) : one, ...states].filter(Boolean);
		if (!texts[0]) return;
		spoken?.replaceChildren();
		spoken = element;
		element.append(texts.join('. '));
		news.clear();
		states.clear();
		timer = setTimeout(speak, HUSH);
	};
	return {
		element,
		/** Take back what was said and was to be said of an item: it is withdrawn. @param {string} feed @param {number} id */
		unsay(feed, id) {
			news.delete(feed + id);
			spoken?.replaceChildren();
		},
		/** Say it soon, unless nobody is there. @param {string} text @param {string} feed @param {number} [id] of the item that it tells of */
		say(text, feed, id) {
			if (document.hidden) return;
			if (id) news.set(feed + id, text);
			else states.add(text);
			timer ??= setTimeout(speak, SOON);
		},
	};
}
