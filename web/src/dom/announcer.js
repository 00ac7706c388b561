/**
 * Announces news to screen readers: one short message at a time for the whole page, and not often.
 *
 * @import { Status } from '../../types/feed.d.ts'
 */
import { make } from './make.js';

/** What comes within this many ms is announced together. */
const GATHER_MS = 100;
/** At most one announcement in this many ms. */
const QUIET_MS = 5000;

/** Headlines to announce, by feed and item: two tickers of one feed announce the same once. @type {Map<string, string>} */
const headlines = new Map();
/** How feeds are, to announce. @type {Set<string>} */
const statuses = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** The element of the last announcement, of whatever feed. @type {HTMLElement | undefined} */
let last;

/**
 * Tell whether a change of status is announced: a loss and an end are, and so is the recovery, or the last announcement would
 * stay there for good. How a feed is found is not. Only "ended" and "error" begin with an e.
 *
 * @param {Status | undefined} before
 * @param {Status} now
 */
export const isAnnounced = (before, now) => /stale|^e|live e/.test(`${before} ${now}`);

/**
 * Make an announcer. Its element has to stand in the page from the start, or screen readers miss the first announcement.
 *
 * @param {(count: number) => string | undefined} summarize what to say of several headlines
 */
export function newAnnouncer(summarize) {
	const element = make('div', { role: 'status' });
	/** Announce all that was gathered, by whichever announcer. */
	const flush = () => {
		timer = undefined;
		const [one, two] = headlines.values();
		const texts = [two ? summarize(headlines.size) : one, ...statuses].filter(Boolean);
		if (!texts[0]) return;
		last?.replaceChildren();
		last = element;
		element.append(texts.join('. '));
		headlines.clear();
		statuses.clear();
		timer = setTimeout(flush, QUIET_MS);
	};
	return {
		element,
		/** Announce soon, unless the page is hidden. @param {string} text @param {string} feed @param {number} [id] of the item that the text is the headline of */
		announce(text, feed, id) {
			if (document.hidden) return;
			if (id) headlines.set(feed + id, text);
			else statuses.add(text);
			if (!timer) timer = setTimeout(flush, GATHER_MS);
		},
		/** Take back what was or was to be announced of an item that is withdrawn. @param {string} feed @param {number} id */
		retract(feed, id) {
			headlines.delete(feed + id);
			last?.replaceChildren();
		},
	};
}
