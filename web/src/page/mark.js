/**
 * "New since you were here": a line over the first item that this reader had seen already. Kept only in this browser, and
 * off by a setting: the box at the foot of the page, or `?mark=0` (`?mark=1` turns it on again).
 *
 * @import { Item } from '../../types/wire.d.ts'
 * @import { PageWords } from '../../types/page.d.ts'
 */
import { make } from '../dom/make.js';

/** Away for less than this, in ms, a reader has not left. */
const AWAY = 300_000;
const SETTING = 'newsfeed:mark';

/**
 * Begin to mark.
 *
 * @param {string} src the feed page
 * @param {PageWords} words
 * @param {HTMLElement | null} foot where the setting goes
 * @param {() => void} repaint
 */
export function seenMark(src, words, foot, repaint) {
	const key = `newsfeed:seen:${src}`;
	const asked = new URLSearchParams(location.search).get('mark');
	if (asked) keep(SETTING, asked === '0' ? 'off' : 'on');
	let on = kept(SETTING) !== 'off';
	/** Time and id of the newest item seen before. @type {number[] | undefined} */
	let last = seen();
	/** @type {number[] | undefined} */
	let newest;
	let leftAt = 0;
	const line = make(
		'div',
		{ class: 'seen', role: 'separator', 'aria-label': words.seen },
		make('span', {}, words.seen),
	);
	const box = make('input', { type: 'checkbox' });
	box.checked = on;
	box.onchange = () => {
		on = box.checked;
		keep(SETTING, on ? 'on' : 'off');
		repaint();
	};
	foot?.append(make('label', {}, box, words.mark));

	/** @returns {number[] | undefined} */
	function seen() {
		const [at, id] = (kept(key) ?? '').split(' ').map(Number);
		return at && id ? [at, id] : undefined;
	}

	function leave() {
		leftAt = performance.now();
		const [at, id] = seen() ?? [0, 0];
		// Another tab may have shown more.
		if (on && newest && (newest[0] > at || (newest[0] === at && newest[1] > id)))
			keep(key, newest.join(' '));
	}

	function comeBack() {
		if (performance.now() - leftAt < AWAY) return;
		last = seen();
		repaint();
	}

	addEventListener('pagehide', leave);
	document.addEventListener('visibilitychange', () => (document.hidden ? leave() : comeBack()));

	/** Put the line above the first painted item that was seen before. @param {Item[]} items @param {(id: number) => HTMLElement | null} rowOf */
	return (items, rowOf) => {
		const orders = items
			.filter((item) => !item.pinned)
			.map(({ published_at, id }) => [Date.parse(published_at), id]);
		if (!document.hidden) newest = orders[0];
		// Of an item that the operator took back from the future the mark has another time.
		const same = orders.find(([at, id]) => last && id === last[1] && at < last[0]);
		if (same) {
			last = same;
			keep(key, same.join(' '));
		}
		const known = last;
		const first =
			known && orders.findIndex(([at, id]) => at < known[0] || (at === known[0] && id <= known[1]));
		const row = on && first && first > 0 ? rowOf(orders[first][1]) : null;
		if (!row) line.remove();
		else if (line.nextSibling !== row) row.before(line);
	};
}

/** @param {string} name */
function kept(name) {
	try {
		return localStorage.getItem(name);
	} catch {
		return null; // this reader allows no storage
	}
}

/** @param {string} name @param {string} value */
function keep(name, value) {
	try {
		localStorage.setItem(name, value);
	} catch {
		// This reader allows no storage, or it is full.
	}
}
