/**
 * The ticker behind the element: settings in, items in, rows and events out.
 * What stands inside the element stays visible until the first items are painted, and for good if they never are.
 *
 * @import { Connection, Effect, Status, TimeMode } from '../../types/feed.d.ts'
 * @import { Ticker } from '../../types/parts.d.ts'
 * @import { LiveTicker } from '../../types/ticker.d.ts'
 * @import { Item } from '../../types/wire.d.ts'
 */
import { plural, wordsFor } from '../../strings/index.js';
import { isAnnounced, newAnnouncer } from '../dom/announcer.js';
import { make } from '../dom/make.js';
import { isSliding, QUIETLY } from '../dom/motion.js';
import { connectionTo } from '../feed/connection.js';
import { newPending, newsIn } from '../feed/pending.js';
import { hasTag, select } from '../feed/selection.js';
import { timesFor } from '../feed/time.js';
import { rowsIn } from './rows.js';
import { settingsOf } from './settings.js';
import css from './style.js';
import { summaryIn } from './summary.js';

/** Room for a day over the row that is scrolled to, in px. */
const ABOVE = 100;
/** Labels are renewed this often, in ms. */
const LABELS_EVERY = 30_000;

/** Shared by all tickers of the page. */
const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

/** @param {LiveTicker} host @param {ShadowRoot} shadow @param {ElementInternals} internals @returns {Ticker} */
export function newTicker(host, shadow, internals) {
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
	const announcer = newAnnouncer((count) => words && plural(words.updates, count, words.language));
	const paintSummary = summaryIn(scroller);
	const rows = rowsIn(scroller, (id) => connection.historyOf(id), schedulePaint);
	shadow.adoptedStyleSheets = [sheet];
	// The sheet shows the slot while the frame before it is hidden.
	shadow.append(frame, make('slot'), announcer.element);

	/** @type {Connection} */
	let connection;
	let unsubscribe = () => {};
	/** @type {ReturnType<typeof setInterval> | undefined} */
	let clock;
	const pending = newPending((id) => {
		const item = connection.state.items.get(id);
		return Boolean(item?.headline && !canceled.has(id) && hasTag(item, settings().tags));
	});
	/** Ids of items whose event the page canceled. @type {Set<number>} */
	const canceled = new Set();
	/** What is painted. @type {Item[] | undefined} */
	let shown;
	/** @type {import('../../strings/index.js').Words} */
	let words;
	let count = 0;
	let frameAsked = 0;
	/** The status of the last event. @type {Status | undefined} */
	let emitted;

	const settings = () => settingsOf(host);

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

	function connect() {
		disconnect();
		clock = setInterval(schedulePaint, LABELS_EVERY);
		const former = connection;
		const { src, transport } = settings();
		try {
			connection = connectionTo(/** @type {any} */ (src), transport);
		} catch (error) {
			connection = /** @type {any} */ (undefined);
			setStatus('error', `${error}`);
			return;
		}
		unsubscribe = connection.subscribe(onEffect);
		if (former !== connection) startOver();
		schedulePaint();
	}

	function disconnect() {
		clearInterval(clock);
		unsubscribe();
	}

	function refresh() {
		connect();
		connection?.reconnect();
	}

	/** @param {Effect} [effect] */
	function onEffect(effect) {
		if (effect) {
			if (effect.newEpoch) startOver();
			else receive(effect);
			// What is loaded once stays for the older items that it reaches back to.
			if (settings().isStatic && !paint()) unsubscribe();
		}
		schedulePaint();
	}

	/** Begin with all that the connection knows; none of it is news. */
	function startOver() {
		for (const each of [pending, canceled, rows]) each.clear();
		shown = undefined;
		for (const item of connection.state.items.values()) offer(item, true);
	}

	/** Emit the event that lets the page leave an item out. @param {Item} item @param {boolean} first */
	function offer(item, first) {
		const allowed = emit('item', { item, first });
		canceled[allowed ? 'delete' : 'add'](item.id);
		return allowed;
	}

	/** @param {Effect} effect */
	function receive({ changes = [], first = false }) {
		for (const change of changes) {
			const { item, unknown } = change;
			// A withdrawn item has no headline.
			const { id, breaking, headline } = item;
			if (!headline) announcer.retract(connection.apiUrl, id);
			const news = offer(item, first) && !first && newsIn(change);
			const { announced, line, tags, paused, onDemand } = settings();
			if (!news || !connection.state.items.has(id) || !hasTag(item, tags)) continue;
			if (breaking || announced !== 'breaking')
				announce(news === 'news' ? headline : `${words?.[news]}: ${headline}`, id);
			if (!unknown) continue;
			// A line has no reader whose place could be lost.
			if (line && !paused && !onDemand) pending.arrived.add(id);
			else pending.add(id, performance.now(), disturbs);
		}
	}

	/** Announce, unless the reader or the page wants silence. @param {string | undefined} text @param {number} [id] of an item */
	function announce(text, id) {
		const { paused, announced } = settings();
		if (text && !paused && announced !== 'off') announcer.announce(text, connection?.apiUrl, id);
	}

	/** Whether a new row would disturb the reader now. */
	function disturbs() {
		const { paused, onDemand, oldestFirst } = settings();
		const above = scroller.scrollTop > 0 || scroller.getBoundingClientRect().top < 0;
		return (
			paused ||
			onDemand ||
			document.hidden ||
			(above && !oldestFirst) ||
			scroller.querySelector(':focus')
		);
	}

	function schedulePaint() {
		if (frameAsked) return;
		frameAsked = requestAnimationFrame(() => {
			frameAsked = 0;
			if (isSliding()) schedulePaint();
			else paint();
		});
	}

	/** Show what waits, and scroll to the first row that has come; returns it. */
	function showPending() {
		pending.ids.clear();
		scroller.scrollTop = 0;
		paint(true);
		const row = /** @type {HTMLElement | null} */ (scroller.querySelector('[part~=new]'));
		if (row) scroller.scrollTop = row.offsetTop - ABOVE;
		return row;
	}

	/** @param {Status} status @param {string} message */
	function setStatus(status, message) {
		try {
			const { states } = internals;
			states.clear();
			if (settings().paused) states.add('paused');
			if (count) states.add('pending');
			states.add(status);
		} catch {
			// This browser is older than :state().
		}
		// Another feed's items are no news of this one.
		frame.hidden = status === 'error' || !connection.state.epoch;
		if (status === emitted) return;
		emit('status', { status, since: connection?.upToDateAt });
		// Ended or error.
		if (/^e/.test(status)) emit(status, { message });
		if (isAnnounced(emitted, status)) announce(message);
		emitted = status;
	}

	/** Returns whether older items may still come. @param {boolean} [anew] although it is paused */
	function paint(anew) {
		if (!connection) return;
		const { state, status, upToDateAt, apiUrl } = connection;
		const { feed, items } = state;
		const asked = settings();
		const {
			heading: name,
			level,
			layout,
			line,
			isStatic,
			paused,
			time,
			timezone,
			summarized,
			tags,
			max,
		} = asked;
		const near = /** @type {HTMLElement | null} */ (host.closest('[lang]'));
		const site = apiUrl.split('/v1/')[0];
		words = wordsFor(near?.lang || navigator.language, site, schedulePaint) ?? words;
		if (!words) return true;
		const { language } = words;
		const now = connection.now();
		const times = timesFor(language, timezone, feed?.timezone);
		const text = words[status].replace('{t}', times.beside(upToDateAt, now));
		const before = count;
		count = pending.count();
		if (count !== before) emit('pending', { count });
		setStatus(status, text);
		if (frame.hidden) return;

		title.href = apiUrl.replace('/v1/', '/');
		title.textContent = scroller.ariaLabel = name || feed?.title || '';
		heading.hidden = name === '';
		heading.ariaLevel = /** @type {any} */ (level);
		// There is nowhere to scroll to in a line.
		scroller.tabIndex = -Number(line);
		frame.lang = language;
		frame.className = `ticker ${layout} ${isStatic ? '' : status}`;
		frame.dir = words.dir;
		pause.textContent = words[paused ? 'resume' : 'pause'];
		// Where there are several, each says whose it is.
		pause.ariaLabel = `${pause.textContent} ${title.textContent}`;
		pause.hidden = isStatic || (status === 'ended' && !paused);
		footer.textContent = isStatic ? times.dated(upToDateAt) : text;
		button.textContent = plural(words.updates, count, language);
		button.hidden = !count;

		if (!paused || !shown) paintSummary(summarized && !line && feed, { words, times, now });

		// A paused ticker keeps what it shows, but never the words of a withdrawn item.
		let reaches = false;
		if (paused && shown?.[0] && !anew)
			shown = shown.flatMap((item) => {
				const latest = items.get(item.id);
				return latest ? (latest.headline ? item : latest) : [];
			});
		else {
			const how = { ...asked, pending: pending.ids, canceled, shown };
			shown = select(state, how);
			for (const tag of tags[0] ? tags : [''])
				if (select(state, { ...how, tags: [tag] }).length < max)
					reaches = connection.reach(tag) || reaches;
		}
		const timeMode = /** @type {TimeMode} */ (time);
		rows.paint(
			shown,
			pending.arrived,
			{ words, times, now, timeMode, layout, level: level + Number(!heading.hidden) },
			title.href,
			words[reaches ? 'connecting' : 'empty'],
		);
		return reaches;
	}

	pause.onclick = () => {
		host.paused = !host.paused;
	};
	button.onclick = ({ detail }) => {
		const link = showPending()?.querySelector('a');
		// By mouse the reader stands in no row, and more may come.
		((!detail && link) || scroller).focus(QUIETLY);
	};
	new MutationObserver((records) => {
		if (!host.isConnected) return;
		const names = `${records.map(({ attributeName }) => attributeName)}`;
		// Withdrawn items that were shown under other tags are not shown under these.
		if (/tags/.test(names)) shown = undefined;
		if (/paused/.test(names) && !settings().paused) pending.ids.clear();
		if (/src|transport|mode/.test(names)) connect();
		else schedulePaint();
	}).observe(host, { attributes: true });
	return { connect, disconnect, showPending, refresh };
}
