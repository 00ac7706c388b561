/**
 * Times as a reader sees them, in one language and one zone. `now` is always the server's: a reader's clock can be hours wrong.
 * @import { Times } from '../../types/feed.d.ts'
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @type {Record<string, Times>} */
const made = {};

/**
 * Return the formats for a language and an IANA zone. An unknown zone falls back to `usual`, and that to the browser's own
 * zone, which is also what `local` means.
 *
 * @param {string} language
 * @param {string | null} [zone]
 * @param {string} [usual]
 * @returns {Times}
 */
export function timesFor(language, zone, usual) {
	// biome-ignore lint/suspicious/noAssignInExpressions: every byte of the ticker counts
	return (made[`${language} ${zone} ${usual}`] ??= makeTimes(language, zone, usual));
}

/** @param {string} language @param {any} [timeZone] @param {string} [usual] @returns {Times} */
function makeTimes(language, timeZone, usual) {
	// The pages say day before month in all of English (web/pages/words/en.json).
	const place = language.replace(/^en.*/, 'en-GB');
	/** @param {Intl.DateTimeFormatOptions} options */
	const format = (options, locale = place) => {
		const { format } = new Intl.DateTimeFormat(locale, { ...options, timeZone });
		return /** @type {(ms: number) => string} */ (format);
	};
	try {
		format({});
	} catch {
		return timesFor(language, timeZone === 'local' ? undefined : usual);
	}
	const clock = format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
	const weekday = format({ dateStyle: 'full' });
	const full = format({ dateStyle: 'long' });
	const offset = format({ timeZoneName: 'shortOffset' }, 'en-GB');
	const ago = new Intl.RelativeTimeFormat(place, { numeric: 'auto', style: 'short' });
	const comma = /^ar/.test(place) ? '،' : ',';

	/** @param {number} ms */
	const zone = (ms) =>
		` UTC${offset(ms)
			.split(/[A-Z]+(?:\+0$)?/)[1]
			.replace('-', '−')}`;
	/** @param {number} ms */
	const dated = (ms) => `${full(ms)}${comma} ${clock(ms)}${zone(ms)}`;
	/** @param {number} ms */
	const day = (ms) => weekday(ms) + zone(ms);
	/** @param {number} ms @param {number} other */
	const beside = (ms, other) => (day(ms) === day(other) ? clock(ms) : dated(ms));
	return {
		dated,
		beside,
		day,
		label: (ms, now, mode, alone) => {
			const absolute = alone ? beside(ms, now) : clock(ms);
			const age = Math.max(0, now - ms);
			if (mode === 'absolute' || age >= DAY) return absolute;
			const unit = age < HOUR ? MINUTE : HOUR;
			const name = age < MINUTE ? 'second' : age < HOUR ? 'minute' : 'hour';
			const relative = ago.format(-((age / unit) | 0), name);
			return mode === 'relative' ? relative : `${absolute} · ${relative}`;
		},
	};
}
