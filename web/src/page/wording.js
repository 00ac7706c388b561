/**
 * Times in the words of the server (feedserver/site/wording.py), by the same tables: what the script adds to a page agrees
 * with what was there.
 *
 * @import { PageWords, Wording } from '../../types/page.d.ts'
 */

const MINUTE = 60_000;
/** Minutes that are kept: more than a page has rows. */
const KNOWN = 500;

/** @param {string} [timeZone] */
function formatIn(timeZone) {
	return new Intl.DateTimeFormat('en-US-u-nu-latn-ca-gregory', {
		timeZone,
		year: 'numeric',
		month: 'numeric',
		day: 'numeric',
		hour: '2-digit',
		minute: '2-digit',
		hourCycle: 'h23',
		timeZoneName: 'shortOffset',
	});
}

/**
 * The wording for one language and one zone.
 *
 * @param {PageWords} words
 * @param {string} [zone] IANA name
 * @returns {Wording}
 */
export function wordingFor(words, zone = 'UTC') {
	let format = formatIn('UTC');
	try {
		format = formatIn(zone);
	} catch {
		// This browser's zones are older than the feed's.
	}
	/** By minute: a row asks for several of its parts, and a burst of rows for those of the same minutes. @type {Map<number, Record<string, string>>} */
	const known = new Map();
	/** @param {number} ms */
	const parts = (ms) => {
		const minute = Math.floor(ms / MINUTE);
		const found =
			known.get(minute) ??
			Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
		if (known.size > KNOWN) known.clear();
		known.set(minute, found);
		return found;
	};
	/** @param {string} text @param {Record<string, string | number>} values */
	const fill = (text, values) => text.replace(/{(\w+)}/g, (_, name) => `${values[name]}`);

	/** @param {number} ms */
	const date = (ms) => {
		const { year, month, day } = parts(ms);
		return fill(words.date, { year, day, month: words.months[Number(month) - 1] });
	};
	/** @param {number} ms */
	const clock = (ms) => {
		const { hour, minute } = parts(ms);
		return `${hour}:${minute}`;
	};
	/** @param {number} ms */
	const offset = (ms) =>
		parts(ms).timeZoneName.replace('GMT', 'UTC').replace('-', '−').replace(/\+0$/, '');
	/** @param {number} ms */
	const day = (ms) => {
		const { year, month, day } = parts(ms);
		const weekday = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDay();
		return fill(words.weekday, { weekday: words.weekdays[(weekday + 6) % 7], date: date(ms) });
	};
	/** @param {number} ms @param {string} [seconds] */
	const dated = (ms, seconds = '') =>
		fill(words.dated, { date: date(ms), clock: clock(ms) + seconds, zone: offset(ms) });
	/** @param {number[]} times */
	const apart = (times) => {
		const minutes = times.map((ms) => Math.floor(ms / MINUTE));
		return times.map((ms, i) =>
			minutes.filter((other) => other === minutes[i]).length > 1
				? dated(ms, `:${`${new Date(ms).getUTCSeconds()}`.padStart(2, '0')}`)
				: dated(ms),
		);
	};
	/** @param {number} ms @param {number} other */
	const beside = (ms, other) =>
		day(ms) === day(other) && offset(ms) === offset(other) ? clock(ms) : dated(ms);
	return { words, clock, day, offset, dated, apart, beside };
}
