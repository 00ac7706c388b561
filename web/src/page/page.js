/**
 * Makes a server-rendered page live, in place: it goes on from the cursor that the page was rendered at, by the same rules
 * as every other reader.
 *
 * @import { Effect, Item, State } from '../../types/wire.d.ts'
 * @import { Scope } from '../../types/page.d.ts'
 */
import { plural } from '../../strings/index.js';
import { voice } from '../dom/announcer.js';
import { make } from '../dom/make.js';
import { isSliding } from '../dom/motion.js';
import { inOrder } from '../feed/client.js';
import { connectionTo } from '../feed/connection.js';
import { loadOlder } from '../feed/paging.js';
import { hasTag } from '../feed/selection.js';
import { showHistory } from './history.js';
import { seenMark } from './mark.js';
import { takeOver } from './rows.js';
import { wordingFor } from './wording.js';

/** More than so many items within so many ms arrive at once, and wait behind the button. */
const AT_ONCE = 3;
const BURST = 250;
/** Rows on a page; older ones come back with "More news". */
const ROWS = 150;
const PAGE = 50;
/** A page may be as old as this, in ms, as caches may keep it; before, another load could bring the same one. */
const CACHED = 12_000;

/** @param {HTMLElement} list */
export function liveFeed(list) {
	const { src = '', zone, language, tag } = list.dataset;
	const scope = /** @type {Scope} */ (list.dataset.scope);
	const words = JSON.parse(`${document.getElementById('words')?.textContent}`);
	const say = wordingFor(words, zone);
	const connection = connectionTo(src);
	const { state } = connection;
	begin(state, list);

	const bar = /** @type {HTMLElement} */ (document.getElementById('bar'));
	const status = /** @type {HTMLElement} */ (document.getElementById('status'));
	const more = /** @type {HTMLAnchorElement | null} */ (document.getElementById('more'));
	const title = document.querySelector('.masthead :is(h1, .name) a');
	const about = document.querySelector('.about');
	// Beside what the server says there would be no room for it on a small screen, and the news would shift.
	const pause = make('button', { type: 'button', hidden: '' }, words.pause);
	const button = make('button', { type: 'button' });
	const waiting = make('div', { class: 'waiting', hidden: '' }, button);
	const {
		element,
		say: speak,
		unsay,
	} = voice((count) => plural(words.waiting, count, words.language));
	bar.append(pause);
	list.before(waiting);
	element.className = 'quiet';
	document.body.append(element);

	const look = { say, src, language, level: scope === 'item' ? 1 : 3 };
	const rows = takeOver(list, look, connection.historyOf, later);
	const mark =
		scope === 'front' ? seenMark(src, words, document.getElementById('foot'), later) : undefined;
	const tags = tag ? [tag] : [];
	/** What was ever on this page; a withdrawn item has no tags left. */
	const ids = new Set(state.items.keys());
	/** @type {Set<number>} */
	const pending = new Set();
	/** @type {Set<number>} */
	const fresh = new Set();
	/** @type {Item[]} */
	let shown = [...state.items.values()];
	let paused = false;
	let max = ROWS;
	let burst = 0;
	let burstAt = 0;
	let asked = false;
	let reloading = false;
	let was = connection.status;

	pause.onclick = () => {
		paused = !paused;
		pause.textContent = paused ? words.resume : words.pause;
		if (!paused) pending.clear();
		later();
	};
	button.onclick = ({ detail }) => {
		const ids = new Set(pending);
		if (paused) pause.click();
		pending.clear();
		scrollTo({ top: 0, behavior: 'instant' });
		paint();
		const first = shown.find(({ id }) => ids.has(id));
		// By mouse the reader stands in no row, and more may come.
		if (detail || !first) document.getElementById('news')?.focus({ preventScroll: true });
		else focusOn(first.id);
		if (first) document.getElementById(`item-${first.id}`)?.scrollIntoView({ block: 'nearest' });
	};
	more?.addEventListener('click', showMore);
	document.addEventListener('visibilitychange', later);
	// On paper "Live" means nothing; when it was printed does.
	addEventListener('beforeprint', () => {
		if (connection.freshAt) bar.dataset.at = say.dated(connection.now());
	});
	connection.subscribe(hear);
	later();

	/** @param {Effect} [effect] */
	function hear(effect) {
		if (effect && 'first' in effect) startOver(Boolean(effect.first));
		else receive(effect);
		later();
	}

	/** A snapshot came: what is here was too old to be brought up to date. @param {boolean} another whether it is another journal */
	function startOver(another) {
		if (scope !== 'front') reloadSoon();
		// What became of the rows that are not in it, nobody says: they and their words go.
		if (scope !== 'item') forget();
		if (paused) pause.click();
		if (another) rows.clear();
		pending.clear();
		fresh.clear();
	}

	/** @param {Effect} [effect] */
	function receive(effect) {
		for (const { item, before, unknown } of effect?.changes ?? []) {
			const { id, status, headline = '', imported, breaking, corrections = [] } = item;
			if (status === 'killed') {
				unsay(src, id);
				// Its words may stand there though it has left the page.
				if (scope !== 'item' || ids.has(id)) forget();
			}
			if (scope === 'item' && ids.has(id)) renewHistory(item);
			if (!belongs(item) || imported || status === 'killed') continue;
			const corrected = before && corrections.length > (before.corrections?.length ?? 0);
			if (unknown || corrected) {
				const why = corrected ? words.correction : breaking ? words.breaking : '';
				if (!paused) speak(why ? `${why}: ${headline}` : headline, src, id);
			}
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

	/** What an item's readers were shown before is of that item too. @param {Item} item */
	async function renewHistory(item) {
		const killed = item.status === 'killed';
		const history = killed ? [] : await connection.historyOf(item.id).catch(() => undefined);
		// It may have changed once more meanwhile, or be withdrawn; and what failed to come takes nothing away.
		if (history && state.versions.get(item.id) === item.version)
			showHistory(item, history, look, list);
	}

	/** Decide whether an item is for this page. @param {Item} item */
	function belongs(item) {
		if (!state.items.has(item.id)) return false;
		if (scope === 'front' || (scope === 'tag' && hasTag(item, tags))) ids.add(item.id);
		else if (scope === 'tag' && item.status !== 'killed') ids.delete(item.id);
		return ids.has(item.id);
	}

	/** Whether news would disturb the reader now. */
	function mustWait() {
		return (
			paused ||
			document.hidden ||
			waits().length > 0 ||
			list.getBoundingClientRect().top < 0 ||
			list.matches(':focus-within')
		);
	}

	/** Which of the pending items still are news. */
	function waits() {
		return [...pending].filter((id) => {
			const item = state.items.get(id);
			return item && item.status !== 'killed' && belongs(item);
		});
	}

	function later() {
		if (asked) return;
		asked = true;
		// No frame comes to a hidden page, and what is withdrawn must go all the same.
		const soon = document.hidden ? setTimeout : requestAnimationFrame;
		soon(() => {
			asked = false;
			if (isSliding() && !document.hidden) later();
			else paint();
		});
	}

	function paint() {
		tellStatus();
		// A paused page keeps what it shows, but never the words of a withdrawn item.
		shown = paused
			? shown.map((item) => {
					const latest = state.items.get(item.id);
					return latest?.status === 'killed' ? latest : item;
				})
			: select();
		rows.paint(shown, fresh, scope === 'front');
		mark?.(shown, (id) => document.getElementById(`item-${id}`));
		const count = waits().length;
		waiting.hidden = !count;
		button.textContent = plural(words.waiting, count, words.language);
		retitle();
		if (scope !== 'front' || !more) return;
		more.hidden = !state.next && state.items.size <= max;
		if (state.next) more.href = `${src}?before=${encodeURIComponent(state.next)}`;
	}

	/** Call the page and its feed as they are called now. */
	function retitle() {
		const [item] = scope === 'item' ? shown : [];
		if (item?.headline) document.title = item.headline;
		const { feed } = state;
		if (!feed || !title) return;
		const before = `${title.textContent}`;
		if (before !== feed.title) {
			title.textContent = feed.title;
			if (scope !== 'item') document.title = document.title.replace(before, () => feed.title);
		}
		const { description = '' } = feed;
		if (about && about.textContent !== description) about.textContent = description;
		// All that the server has written is in the former ones.
		if (feed.language !== language || feed.timezone !== zone) reloadSoon();
	}

	/** Load the page anew, as soon as no cache may give the same one. */
	function reloadSoon() {
		if (reloading) return;
		reloading = true;
		setTimeout(() => location.reload(), Math.max(0, CACHED - performance.now()));
	}

	/** @returns {Item[]} */
	function select() {
		if (/page|search|item/.test(scope))
			for (const id of state.items.keys()) if (!ids.has(id)) state.items.delete(id);
		const items = [...state.items.values()].filter(
			(item) => belongs(item) && !pending.has(item.id),
		);
		return items.sort(scope === 'front' ? inOrder : newestFirst).slice(0, max);
	}

	function tellStatus() {
		const { status: is, freshAt } = connection;
		if (is === 'connecting' && !freshAt) return;
		const now = connection.now();
		const closed = is === 'ended' && Date.parse(state.feed?.closed_at ?? '');
		const text = closed
			? words.closed.replace('{t}', say.dated(closed))
			: is === 'live' && scope === 'search'
				? ''
				: words[is].replace('{t}', freshAt && say.beside(freshAt, now));
		// Nothing comes to what was found, but for edits of it.
		pause.hidden = (is === 'ended' && !paused) || scope === 'search';
		if (scope === 'front') list.dataset.nothing = words[is === 'ended' ? 'none' : 'empty'];
		bar.className = `bar ${is}${paused ? ' paused' : ''}`;
		bar.hidden = !text; // or its dot would stand there alone
		if (status.textContent !== text) status.textContent = text;
		// Also that it is live again, or what was said would stand there for good; but not how a feed is found.
		if (is !== was && /stale|^ended|liveended/.test(was + is) && !paused) speak(text, src);
		was = is;
	}

	/** @param {MouseEvent} event */
	async function showMore(event) {
		if (!more || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
		event.preventDefault();
		const last = shown.at(-1);
		more.ariaBusy = 'true';
		const loaded = state.items.size > max || (await loadOlder(connection).catch(() => false));
		more.ariaBusy = null;
		if (!loaded) return location.assign(more.href);
		max = Math.max(max, shown.length + PAGE);
		paint();
		if (event.detail) return;
		// By keyboard: go on where the new rows begin.
		const next = shown[shown.findIndex((item) => item.id === last?.id) + 1];
		if (next) focusOn(next.id);
	}

	/** @param {number} id */
	function focusOn(id) {
		/** @type {HTMLElement | null} */ (list.querySelector(`#item-${id} a`))?.focus();
	}
}

/** Begin where the server stood when it rendered the page. @param {State} state @param {HTMLElement} list */
function begin(state, list) {
	const { src = '', epoch = '', cursor = '', next = '', heartbeat, tag } = list.dataset;
	state.epoch = epoch;
	state.cursor = cursor;
	state.next = next;
	state.heartbeat = Number(heartbeat);
	for (const row of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('.item'))) {
		const { id, version, at = '', pinned } = row.dataset;
		/** @type {Item} What is known of a row without its words, which stand in it. */
		const item = {
			id: Number(id),
			feed: `${src.split('/').pop()}`,
			version: Number(version),
			status: row.classList.contains('killed') ? 'killed' : 'live',
			published_at: at,
			pinned: pinned === '',
			tags: tag ? [tag] : [],
			corrections: [...row.querySelectorAll('.correction')].map(() => ({ at: '', note: '' })),
		};
		state.versions.set(item.id, item.version);
		state.items.set(item.id, item);
	}
	const unpinned = [...state.items.values()].filter((item) => !item.pinned);
	state.floor = unpinned.sort(newestFirst).at(-1);
}

/** Take the words of a withdrawn item from where only machines look. */
function forget() {
	const told = 'script[type="application/ld+json"], meta[name=description], meta[property]';
	for (const element of document.querySelectorAll(told)) element.remove();
	const name = document.querySelector('.masthead .name');
	if (name) document.title = `${name.textContent}`;
}

/** @param {Item} a @param {Item} b */
const newestFirst = (a, b) =>
	Date.parse(b.published_at) - Date.parse(a.published_at) || b.id - a.id;
