/**
 * Times as a reader sees them, in one language and one zone. `now` is always the server's: a reader's clock can be hours wrong.
 * @import { Times } from '../types/modules.d.ts'
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Labels are renewed this often, in ms. */
const TICK = 30_000;

/** @type {Record<string, Times>} */
const made = {};

/**
 * The formats for a language and an IANA zone; an unknown zone gives way to the browser's own.
 *
 * @param {string} language
 * @param {string} [zone]
 * @returns {Times}
 */
export function timesFor(language, zone) {
	const key = `${language} ${zone}`;
	made[key] ??= makeTimes(language, zone);
	return made[key];
}

/** @param {string} language @param {string} [timeZone] @returns {Times} */
function makeTimes(language, timeZone) {
	/** @param {Intl.DateTimeFormatOptions} options */
	const format = (options) => {
		const { format } = new Intl.DateTimeFormat(language, { ...options, timeZone });
		return /** @type {(ms: number) => string} */ (format);
	};
	try {
		format({});
	} catch {
		timeZone = undefined;
	}
	const hours = /** @type {const} */ ({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
	const date = /** @type {const} */ ({ day: 'numeric', month: 'long', year: 'numeric' });
	const clock = format(hours);
	const full = format({ ...date, ...hours, timeZoneName: 'short' });
	const day = format({ weekday: 'long', ...date });
	const ago = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });

	/** @param {number} ms @param {number} now */
	const dated = (ms, now) => (day(ms) === day(now) ? clock(ms) : full(ms));
	return {
		dated,
		full,
		day,
		label: (ms, now, mode, alone) => {
			const absolute = alone ? dated(ms, now) : clock(ms);
			const age = Math.max(0, now - ms);
			if (mode === 'absolute' || age >= DAY) return absolute;
			const relative =
				age < MINUTE
					? ago.format(0, 'second')
					: age < HOUR
						? ago.format(-Math.floor(age / MINUTE), 'minute')
						: ago.format(-Math.floor(age / HOUR), 'hour');
			return mode === 'relative' ? relative : `${absolute} · ${relative}`;
		},
	};
}

/** @type {Set<() => void>} */
const watchers = new Set();
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;

/** Call back twice a minute on the page's one shared timer; returns what stops it. @param {() => void} watcher */
export function everyHalfMinute(watcher) {
	watchers.add(watcher);
	if (!timer)
		timer = setInterval(() => {
			for (const each of watchers) each();
		}, TICK);
	return () => {
		watchers.delete(watcher);
	};
}
