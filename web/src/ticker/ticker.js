/**
 * What a ticker shows and says: settings in, items in, rows and events out.
 * What stands inside the element stays visible until the first items are painted, and for good if they never are.
 *
 * @import { Effect, Item } from '../../types/wire.d.ts'
 * @import { Connection, Layout, Status, Ticker, TimeMode, View } from '../../types/modules.d.ts'
 */
import { plural, wordsFor } from '../../strings/index.js';
import { voice } from '../dom/announcer.js';
import { make } from '../dom/make.js';
import { isSliding, QUIETLY } from '../dom/motion.js';
import { connectionTo } from '../feed/connection.js';
import { countWaiting, hasTag, select } from '../feed/selection.js';
import { timesFor } from '../feed/time.js';
import { itemList } from './rows.js';
import css from './style.js';

/** More than so many items within so many ms arrive at once, and wait behind the button. */
const AT_ONCE = 3;
const BURST = 250;
const DEFAULT_MAX = 50;
/** Room for a day over the row that is scrolled to, in px. */
const ABOVE = 100;
/** Labels are renewed this often, in ms. */
const TICK = 30_000;

/** Shared by all tickers of the page. */
const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

/** @param {HTMLElement} host @param {ShadowRoot} shadow @param {ElementInternals} internals @returns {Ticker} */
export function ticker(host, shadow, internals) {
	const title = make('a', { part: 'link' });
	const heading = make('div', { part: 'heading', role: 'heading' }, title);
	const pause = make('button', { part: 'pause' });
	const button = make('button', { part: 'pending' });
	const scroller = make('div', { part: 'scroller', role: 'region' });
	const footer = make('p', { part: 'status' });
	const frame = make(
		'div',
		{ part: 'ticker', hidden: '' },
		heading,
		pause,
		button,
		scroller,
		footer,
	);
	const { element, say, unsay } = voice(
		(count) => words && plural(words.updates, count, words.language),
	);
	const list = itemList(scroller, (id) => connection.historyOf(id), later);
	shadow.adoptedStyleSheets = [sheet];
	// The sheet shows the slot while the frame before it is hidden.
	shadow.append(frame, make('slot'), element);

	/** @type {Connection} */
	let connection;
	let leave = () => {};
	/** @type {ReturnType<typeof setInterval> | undefined} */
	let clock;
	/** @type {Set<number>} */
	const fresh = new Set();
	/** @type {Set<number>} */
	const pending = new Set();
	/** @type {Set<number>} */
	const vetoed = new Set();
	/** @type {Item[] | undefined} what is painted */
	let shown;
	/** @type {import('../../strings/index.js').Words} */
	let words;
	let burst = 0;
	let count = 0;
	let frameAsked = 0;
	/** @type {Status | undefined} */
	let was;

	/** @param {string} name */
	const get = (name) => host.getAttribute(name);
	const paused = () => host.hasAttribute('paused');
	const still = () => get('mode') === 'static';
	const layout = () => /** @type {Layout} */ (get('layout') ?? 'list');
	/** @returns {View} */
	const view = () => ({
		tags:
			get('tags')
				?.split(',')
				.map((tag) => tag.trim())
				.filter(Boolean) ?? [],
		line: layout() === 'line',
		max: Math.max(1, +(/** @type {any} */ (get('max'))) || DEFAULT_MAX),
		oldestFirst: get('order') === 'oldest',
		pending,
		vetoed,
		shown,
	});

	/** @param {string} name @param {object} detail */
	const emit = (name, detail) =>
		host.dispatchEvent(
			new CustomEvent(`ticker-${name}`, {
				bubbles: true,
				composed: true,
				cancelable: true,
				detail,
			}),
		);

	function begin() {
		end();
		clock = setInterval(later, TICK);
		const before = connection;
		try {
			connection = connectionTo(
				/** @type {any} */ (get('src')),
				still() ? 'poll' : get('transport'),
			);
		} catch (error) {
			connection = /** @type {any} */ (undefined);
			become('error', `${error}`);
			return;
		}
		leave = connection.subscribe(hear);
		if (before !== connection) welcome();
		later();
	}

	function end() {
		clearInterval(clock);
		leave();
	}

	function renew() {
		begin();
		connection?.renew();
	}

	/** @param {Effect} [effect] */
	function hear(effect) {
		if (effect) {
			if (effect.first) welcome();
			else receive(effect);
			if (still()) leave();
		}
		later();
	}

	/** Begin with all that the connection knows; none of it is news. */
	function welcome() {
		for (const each of [pending, vetoed, fresh, list]) each.clear();
		shown = undefined;
		for (const item of connection.state.items.values()) offer(item, true);
	}

	/** Let the page see an item first, and refuse it. @param {Item} item @param {boolean} first */
	function offer(item, first) {
		const allowed = emit('item', { item, first });
		vetoed[allowed ? 'delete' : 'add'](item.id);
		return allowed;
	}

	/** @param {Effect} effect */
	function receive({ changes = [] }) {
		for (const { item, before, unknown } of changes) {
			// A withdrawn item has no headline.
			const { id, imported, breaking, corrections = [], headline } = item;
			if (!headline) unsay(connection.api, id);
			if (
				!offer(item, false) ||
				!headline ||
				imported ||
				!connection.state.items.has(id) ||
				!hasTag(item, view().tags)
			)
				continue;
			const why =
				corrections.length > (before?.corrections?.length ?? 0)
					? 'correction'
					: breaking
						? 'breaking'
						: '';
			if ((unknown || why === 'correction') && (breaking || get('announce') !== 'breaking'))
				tell(why ? `${words?.[why]}: ${headline}` : headline, id);
			if (!unknown) continue;
			if (!burst++)
				setTimeout(() => {
					burst = 0;
				}, BURST);
			if (burst > AT_ONCE || mustWait()) pending.add(id);
			fresh.add(id);
		}
	}

	/** @param {string} text @param {number} [id] of an item */
	function tell(text, id) {
		if (!paused() && get('announce') !== 'off') say(text, connection?.api, id);
	}

	/** Whether news would disturb the reader now. */
	function mustWait() {
		if (paused() || get('mode') === 'notify') return true;
		const above = scroller.scrollTop > 0 || scroller.getBoundingClientRect().top < 0;
		return (
			layout() !== 'line' &&
			(document.hidden ||
				count ||
				(above && get('order') !== 'oldest') ||
				scroller.querySelector(':focus'))
		);
	}

	function later() {
		if (frameAsked) return;
		frameAsked = requestAnimationFrame(() => {
			frameAsked = 0;
			if (isSliding()) later();
			else paint();
		});
	}

	/** Show what waits, and scroll to the first row that has come; returns it. */
	function showPending() {
		pending.clear();
		scroller.scrollTop = 0;
		paint(true);
		const row = /** @type {HTMLElement | null} */ (scroller.querySelector('[part~=new]'));
		if (row) scroller.scrollTop = row.offsetTop - ABOVE;
		return row;
	}

	/** @param {Status} status @param {string} message */
	function become(status, message) {
		try {
			internals.states.clear();
			if (paused()) internals.states.add('paused');
			if (count) internals.states.add('pending');
			internals.states.add(status);
		} catch {
			// This browser is older than :state().
		}
		// Another feed's items are no news of this one.
		frame.hidden = status === 'error' || !connection.state.epoch;
		if (status === was) return;
		emit('status', { status, since: connection?.freshAt });
		if (/ended|error/.test(status)) emit(status, { message });
		// Also that it is live again, or what was said would stand there for good; but not how a feed is found. Two e stand where
		// what was live has ended, or is in error.
		if (/stale|^e|ee/.test(was + status)) tell(message);
		was = status;
	}

	/** @param {boolean} [anew] although it is paused */
	function paint(anew) {
		if (!connection) return;
		const { state, status, freshAt, api } = connection;
		const { feed, items } = state;
		const near = /** @type {HTMLElement | null} */ (host.closest('[lang]'));
		words = wordsFor(near?.lang || navigator.language, api.split('/v1/')[0], later) ?? words;
		if (!words) return;
		const { language } = words;
		const now = connection.now();
		const times = timesFor(language, get('timezone'), feed?.timezone);
		const text = words[status].replace('{t}', times.beside(freshAt, now));
		const before = count;
		count = countWaiting(state, view());
		if (count !== before) emit('pending', { count });
		become(status, text);
		if (frame.hidden) return;

		title.href = api.replace('/v1/', '/');
		title.textContent = scroller.ariaLabel = get('heading') ?? /** @type {any} */ (feed).title;
		const level = +(/^[1-6]$/.exec(/** @type {any} */ (get('heading-level'))) ?? 2);
		heading.ariaLevel = /** @type {any} */ (level);
		// There is nowhere to scroll to in a line.
		scroller.tabIndex = -Number(layout() === 'line');
		frame.lang = language;
		frame.className = `ticker ${layout()} ${still() ? '' : status}`;
		frame.dir = words.dir;
		pause.textContent = words[paused() ? 'resume' : 'pause'];
		// Where there are several, each says whose it is.
		pause.ariaLabel = `${pause.textContent} ${title.textContent}`;
		pause.hidden = still() || (status === 'ended' && !paused());
		footer.textContent = still() ? times.dated(freshAt) : text;
		button.textContent = plural(words.updates, count, language);
		button.hidden = !count;

		// A paused view keeps what it shows, but never the words of a withdrawn item.
		shown =
			paused() && shown && !anew
				? shown.flatMap((item) => {
						const latest = items.get(item.id);
						return latest ? (latest.headline ? item : latest) : [];
					})
				: select(state, view());
		const mode = /** @type {TimeMode} */ (get('time'));
		list.paint(
			shown,
			fresh,
			{ words, times, now, mode, layout: layout(), level: level + 1 },
			title.href,
		);
	}

	pause.onclick = () => host.toggleAttribute('paused');
	button.onclick = ({ detail }) => {
		const link = showPending()?.querySelector('a');
		// By mouse the reader stands in no row, and more may come.
		((!detail && link) || scroller).focus(QUIETLY);
	};
	new MutationObserver((records) => {
		if (!host.isConnected) return;
		const names = `${records.map(({ attributeName }) => attributeName)}`;
		// What stood here under other tags has no place under these.
		if (/tags/.test(names)) shown = undefined;
		if (/paused/.test(names) && !paused()) pending.clear();
		if (/src|transport|mode/.test(names)) begin();
		else later();
	}).observe(host, { attributes: true });
	return { begin, end, admit: showPending, renew };
}
