/**
 * What a ticker shows and says: settings in, items in, rows and events out.
 * What stands inside the element stays visible until the first items are painted, and for good if they never are.
 *
 * @import { Effect, Item } from '../types/wire.d.ts'
 * @import { Connection, Layout, Status, Ticker, TimeMode, View } from '../types/modules.d.ts'
 */
import { plural, wordsFor } from '../strings/index.js';
import { connectionTo } from './connection.js';
import { make } from './dom.js';
import { itemList } from './list.js';
import { isSliding } from './motion.js';
import { countWaiting, hasTag, select } from './selection.js';
import css from './style.js';
import { timesFor } from './time.js';
import { voice } from './voice.js';

/** More than so many items within so many ms arrive at once, and wait behind the button. */
const AT_ONCE = 3;
const BURST = 250;
const DEFAULT_MAX = 50;
/** Labels are renewed this often, in ms. */
const TICK = 30_000;

/** Shared by all tickers of the page. */
const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

/** @param {HTMLElement} host @param {ShadowRoot} shadow @param {ElementInternals} internals @returns {Ticker} */
export function ticker(host, shadow, internals) {
	const fallback = make('slot');
	const heading = make('div', { part: 'heading', role: 'heading' });
	const pause = make('button', { part: 'pause', type: 'button' });
	const button = make('button', { part: 'pending', type: 'button' });
	const scroller = make('div', { part: 'scroller', role: 'region', tabindex: '0' });
	const footer = make('p', { part: 'status' });
	const frame = make(
		'div',
		{ part: 'ticker', hidden: 'true' },
		heading,
		pause,
		button,
		scroller,
		footer,
	);
	const { element, say, unsay } = voice((texts) =>
		paused() || document.hidden || !words
			? ''
			: texts[1]
				? plural(words.updates, texts.length, words.language)
				: texts[0],
	);
	const list = itemList(scroller, (id) => connection.history(id), later);
	shadow.adoptedStyleSheets = [sheet];
	shadow.append(fallback, frame, element);

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
	/** @type {Set<number>} */
	const matched = new Set();
	/** @type {Item[] | undefined} what is painted */
	let shown;
	/** @type {import('../strings/index.js').Words} */
	let words;
	let frameAsked = 0;
	let burst = 0;
	let burstAt = 0;
	let count = 0;
	let wasPaused = false;
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
				?.split(/[\s,]*,[\s,]*/)
				.filter(Boolean) ?? [],
		max: layout() === 'line' ? 1 : Number(get('max')) || DEFAULT_MAX,
		oldestFirst: get('order') === 'oldest',
		pending,
		vetoed,
		matched,
	});

	/** @param {string} name @param {object} detail */
	const emit = (name, detail) =>
		host.dispatchEvent(
			new CustomEvent(`ticker-${name}`, {
				detail,
				bubbles: true,
				composed: true,
				cancelable: true,
			}),
		);

	function begin() {
		end();
		clock = setInterval(() => paused() || later(), TICK);
		const before = connection;
		try {
			connection = connectionTo(`${get('src')}`, still() ? 'poll' : get('transport'));
		} catch (error) {
			emit('error', { message: `${error}` });
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

	function refresh() {
		begin();
		connection?.reconnect();
	}

	/** @param {Effect} [effect] */
	function hear(effect) {
		if (effect?.first) welcome();
		else receive(effect);
		if (effect && still()) leave();
		later();
	}

	/** Begin with all that the connection knows; none of it is news. */
	function welcome() {
		for (const each of [pending, vetoed, matched, fresh, list]) each.clear();
		shown = undefined;
		for (const item of connection.state.items.values()) offer(item, true);
	}

	/** Let the page see an item first, and refuse it. @param {Item} item @param {boolean} first */
	function offer(item, first) {
		const allowed = emit('item', { item, first });
		vetoed[allowed ? 'delete' : 'add'](item.id);
		return allowed;
	}

	/** @param {Effect} [effect] */
	function receive(effect) {
		const { tags } = view();
		const announce = get('announce');
		for (const { item, before, unknown } of effect?.changes ?? []) {
			const { id, status, imported, breaking, corrections = [], headline } = item;
			if (status === 'killed') unsay(id);
			if (
				!offer(item, false) ||
				imported ||
				status === 'killed' ||
				!connection.state.items.has(id) ||
				!hasTag(item, tags)
			)
				continue;
			const why =
				corrections.length > (before?.corrections?.length ?? 0)
					? 'correction'
					: breaking
						? 'breaking'
						: '';
			if (
				(unknown || why === 'correction') &&
				announce !== 'off' &&
				(breaking || announce !== 'breaking')
			)
				say(id, why ? `${words?.[why]}: ${headline}` : headline);
			if (!unknown) continue;
			const now = performance.now();
			if (now - burstAt > BURST) {
				burst = 0;
				burstAt = now;
			}
			if (++burst > AT_ONCE || mustWait()) pending.add(id);
			fresh.add(id);
		}
	}

	/** Whether news would disturb the reader now. */
	function mustWait() {
		if (paused() || get('mode') === 'notify') return true;
		const { scrollTop } = scroller;
		const above = scrollTop > 0 || scroller.getBoundingClientRect().top < 0;
		return (
			layout() !== 'line' &&
			(document.hidden ||
				pending.size > 0 ||
				(above && get('order') !== 'oldest') ||
				scroller.matches(':focus-within'))
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

	function showPending() {
		const byKeyboard = button.matches(':focus-visible');
		pending.clear();
		shown = undefined;
		scroller.scrollTop = 0;
		paint();
		if (byKeyboard) scroller.querySelector('a')?.focus();
	}

	function paint() {
		const { state, status, freshAt, url } = connection;
		const { feed, epoch, items } = state;
		const near = /** @type {HTMLElement | null} */ (host.closest('[lang]'));
		const got = wordsFor(near?.lang || navigator.language, url.split('/v1/')[0], later);
		if (!got) return;
		words = got;
		const { language } = words;
		const now = connection.now();
		const zone = get('timezone') ?? feed?.timezone;
		const times = timesFor(language, zone === 'local' ? undefined : zone);
		const text = words[status].replace('{t}', times.beside(freshAt, now));
		if (wasPaused && !paused()) pending.clear();
		wasPaused = paused();
		const waiting = countWaiting(state, view());
		const states = /** @type {string[]} */ (
			[status, paused() && 'paused', waiting && 'pending'].filter(Boolean)
		);
		try {
			internals.states.clear();
			for (const each of states) internals.states.add(each);
		} catch {
			host.dataset.state = states.join(' ');
		}
		if (status !== was) {
			emit('status', { status, since: freshAt });
			if (/ended|error/.test(status)) emit(status, { message: text });
			// Also that it is live again, or what was said would stand there for good.
			if (was && /stale|ended/.test(was + status)) say(0, text);
			was = status;
		}
		if (!epoch) return;

		heading.textContent = scroller.ariaLabel = get('heading') ?? feed?.title ?? '';
		const level = Number(get('heading-level')) || 2;
		heading.ariaLevel = `${level}`;
		frame.className = `${layout()} ${still() ? '' : status}`;
		frame.lang = language;
		frame.dir = words.dir;
		pause.textContent = words[paused() ? 'resume' : 'pause'];
		pause.hidden = still();
		footer.textContent = still() ? times.dated(freshAt) : text;
		button.textContent = plural(words.updates, waiting, language);
		button.hidden = !waiting;
		if (waiting !== count) {
			count = waiting;
			emit('pending', { count });
		}

		// A paused view keeps what it shows, but never the words of a withdrawn item.
		shown =
			paused() && shown
				? shown.flatMap((item) => {
						const latest = items.get(item.id);
						return latest ? (latest.status === 'killed' ? latest : item) : [];
					})
				: select(state, view());
		const mode = /** @type {TimeMode} */ (get('time') ?? 'both');
		const look = { words, times, now, mode, layout: layout(), level: level + 1 };
		list.paint(shown, fresh, look, url.replace('/v1/', '/'));
		fallback.hidden = true;
		frame.hidden = false;
	}

	pause.onclick = () => host.toggleAttribute('paused');
	button.onclick = showPending;
	new MutationObserver(([{ attributeName }]) => {
		if (!host.isConnected) return;
		if (/src|transport|mode/.test(`${attributeName}`)) begin();
		else if (connection) later();
	}).observe(host, { attributes: true });
	return { begin, end, showPending, refresh };
}
