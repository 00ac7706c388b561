/**
 * Makes a page that the server rendered live, in place: it goes on from the cursor that the page was rendered at, by the same
 * rules as every other client.
 *
 * @import { Effect, Older } from '../../types/feed.d.ts'
 * @import { Scope } from '../../types/page.d.ts'
 * @import { Item } from '../../types/wire.d.ts'
 */
import { plural } from '../../strings/index.js';
import { newAnnouncer } from '../dom/announcer.js';
import { make } from '../dom/make.js';
import { isSliding } from '../dom/motion.js';
import { inOrder, newestFirst } from '../feed/client.js';
import { connectionTo } from '../feed/connection.js';
import { loadOlder } from '../feed/paging.js';
import { newPending, newsIn } from '../feed/pending.js';
import { hasTag } from '../feed/selection.js';
import { takeOverBar } from './bar.js';
import { isForBrowser } from './clicks.js';
import { takeOverFind } from './find.js';
import { removeDescription, rename } from './head.js';
import { showHistory } from './history.js';
import { seenMark } from './mark.js';
import { takeOverOlder } from './older.js';
import { takeOverPictures } from './picture.js';
import { takeOverRows } from './rows.js';
import { takeOverSharing } from './share.js';
import { goToNamed, readPage } from './start.js';
import { takeOverSummary } from './summary.js';
import { takeOverTitle } from './title.js';
import { wordingFor } from './wording.js';

/** Rows on a page; older ones come back with "More news". */
const ROWS = 150;
const PAGE = 50;
/** Caches keep a page for this long, in ms; loaded anew before that, it could be the same one. */
const CACHED = 12_000;

/** The time of the newest item, in ms. @param {Item[]} items */
const newestOf = (items) =>
	items.length ? Math.max(...items.map((item) => Date.parse(item.published_at))) : undefined;

/** @param {HTMLElement} list */
export function startPage(list) {
	const { src = '', zone, language, tag } = list.dataset;
	const scope = /** @type {Scope} */ (list.dataset.scope);
	const words = JSON.parse(`${document.getElementById('words')?.textContent}`);
	const wording = wordingFor(words, zone);
	const connection = connectionTo(src);
	const { state } = connection;
	readPage(state, list);

	const link = /** @type {HTMLAnchorElement | null} */ (document.getElementById('more'));
	const button = make('button', { type: 'button' });
	const place = make('div', { class: 'pending', hidden: '' }, button);
	list.before(place);
	const announcer = newAnnouncer((count) => plural(words.pending, count, words.language));
	announcer.element.className = 'quiet';
	document.body.append(announcer.element);
	const bar = takeOverBar(connection, wording, scope, announce);

	const options = { wording, src, language, level: scope === 'item' ? 1 : 3 };
	const summary = takeOverSummary(wording);
	const pictures = takeOverPictures(list, words);
	const title = takeOverTitle();
	const find = takeOverFind(list);
	takeOverSharing(list, src, words, announce);
	const rows = takeOverRows(list, options, connection.historyOf, schedulePaint);
	const mark =
		scope === 'front'
			? seenMark(src, words, document.getElementById('foot'), schedulePaint)
			: undefined;
	const tags = tag ? [tag] : [];
	/** All that was ever on this page; a withdrawn item has no tags left. */
	const ids = new Set(state.items.keys());
	const pending = newPending((id) => {
		const item = state.items.get(id);
		return Boolean(item && item.status !== 'killed' && belongs(item));
	});
	/** @type {Item[]} */
	let shown = [...state.items.values()];
	let paused = false;
	/** How many items belong on this page, shown or not. */
	let total = 0;
	let max = ROWS;
	let paintAsked = false;
	let reloading = false;

	bar.pause.onclick = () => {
		paused = !paused;
		if (!paused) pending.ids.clear();
		schedulePaint();
	};
	const newest = /** @type {HTMLAnchorElement} */ (document.getElementById('newest'));
	newest.addEventListener('click', (event) => {
		if (scope !== 'front' || isForBrowser(event)) return;
		event.preventDefault();
		if (pending.count()) button.click();
		else scrollTo({ top: 0 });
	});
	button.onclick = ({ detail }) => {
		const waited = new Set(pending.ids);
		if (paused) bar.pause.click();
		pending.ids.clear();
		scrollTo({ top: 0, behavior: 'instant' });
		paint();
		const first = shown.find(({ id }) => waited.has(id));
		// By mouse the reader stands in no row, and more may come.
		if (detail || !first) document.getElementById('news')?.focus({ preventScroll: true });
		else focusOn(first.id);
		if (first) document.getElementById(`item-${first.id}`)?.scrollIntoView({ block: 'nearest' });
	};
	const older = link && takeOverOlder(link, words.error, load, showOlder, announce);
	document.addEventListener('visibilitychange', schedulePaint);
	connection.subscribe(onEffect);
	schedulePaint();
	const goTo = () => scope !== 'item' && goToNamed(src, connection.apiUrl).catch(() => {});
	addEventListener('hashchange', goTo);
	goTo();

	/** @param {Effect} [effect] */
	function onEffect(effect) {
		if (effect?.snapshot) startOver(Boolean(effect.newEpoch));
		else receive(effect);
		schedulePaint();
	}

	/** A snapshot came: what is here was too old to be brought up to date. @param {boolean} newEpoch whether it is of another journal */
	function startOver(newEpoch) {
		if (scope !== 'front') reloadSoon();
		// What became of the rows that are not in it is unknown: they and their words go.
		if (scope !== 'item') removeDescription();
		if (paused) bar.pause.click();
		if (newEpoch) for (const each of [rows, summary]) each.clear();
		pending.clear();
		pictures.close();
	}

	/** @param {Effect} [effect] */
	function receive(effect) {
		for (const change of effect?.changes ?? []) {
			const { item, unknown } = change;
			const { id, status, headline = '' } = item;
			if (status === 'killed') {
				announcer.retract(src, id);
				pictures.retract(id);
				// Its words may stand there though it has left the page.
				if (scope !== 'item' || ids.has(id)) removeDescription();
			}
			if (scope === 'item' && ids.has(id)) renewHistory(item);
			const news = newsIn(change);
			if (!belongs(item) || !news) continue;
			const text = news === 'news' ? headline : `${words[news]}: ${headline}`;
			if (!paused) announcer.announce(text, src, id);
			if (unknown) pending.add(id, performance.now(), disturbs);
		}
	}

	/** Show what readers were shown of the item before too. @param {Item} item */
	async function renewHistory(item) {
		const killed = item.status === 'killed';
		const history = killed ? [] : await connection.historyOf(item.id).catch(() => undefined);
		// It may have changed once more meanwhile, or be withdrawn; and what failed to come takes nothing away.
		if (history && state.versions.get(item.id) === item.version)
			showHistory(item, history, options, list);
	}

	/** Decide whether an item is for this page. @param {Item} item */
	function belongs(item) {
		if (!state.items.has(item.id)) return false;
		if (scope === 'front' || (scope === 'tag' && hasTag(item, tags))) ids.add(item.id);
		else if (scope === 'tag' && item.status !== 'killed') ids.delete(item.id);
		return ids.has(item.id);
	}

	/** Whether a new row would disturb the reader now. */
	function disturbs() {
		return (
			paused ||
			document.hidden ||
			pictures.isOpen() ||
			list.getBoundingClientRect().top < 0 ||
			list.matches(':focus-within')
		);
	}

	function schedulePaint() {
		if (paintAsked) return;
		paintAsked = true;
		// No frame comes to a hidden page, and what is withdrawn must go all the same.
		const soon = document.hidden ? setTimeout : requestAnimationFrame;
		soon(() => {
			paintAsked = false;
			if (isSliding() && !document.hidden) schedulePaint();
			else paint();
		});
	}

	function paint() {
		bar.paint(paused);
		if (scope === 'front' && connection.upToDateAt)
			list.dataset.nothing = words[connection.status === 'ended' ? 'none' : 'empty'];
		// A paused page keeps what it shows, but never the words of a withdrawn item.
		shown = paused
			? shown.map((item) => {
					const latest = state.items.get(item.id);
					return latest?.status === 'killed' ? latest : item;
				})
			: select().slice(0, max);
		rows.paint(shown, pending.arrived, scope === 'front');
		find.paint();
		mark?.(shown, (id) => document.getElementById(`item-${id}`));
		const count = pending.count();
		place.hidden = !count;
		button.textContent = plural(words.pending, count, words.language);
		const { feed } = state;
		rename(feed, scope === 'item' ? shown[0] : undefined);
		title.paint(document.hidden ? count : 0);
		if (feed && !paused) summary.paint(feed, newestOf(shown));
		// All that the server has rendered is in the former ones.
		if (feed && (feed.language !== language || feed.timezone !== zone)) reloadSoon();
		older?.paint(Boolean(state.next) || total > max, state.next);
	}

	/** @param {string} text */
	function announce(text) {
		announcer.announce(text, src);
	}

	/** Load the page anew, as soon as no cache may give the same one. */
	function reloadSoon() {
		if (reloading) return;
		reloading = true;
		setTimeout(() => location.reload(), Math.max(0, CACHED - performance.now()));
	}

	/** List all items of this page that do not wait, in its order. */
	function select() {
		if (/page|search|item/.test(scope))
			for (const id of state.items.keys()) if (!ids.has(id)) state.items.delete(id);
		const items = [...state.items.values()].filter(
			(item) => belongs(item) && !pending.ids.has(item.id),
		);
		total = items.length;
		return items.sort(scope === 'front' ? inOrder : newestFirst);
	}

	/** Load older items of this list, unless some that were loaded are not shown yet. @returns {Promise<Older>} */
	async function load() {
		if (total > max) return { outcome: 'added', items: [] };
		const asked = new URL(`${link?.href}`).searchParams;
		return loadOlder(connection, { limit: PAGE, tag: asked.get('tag'), q: asked.get('q') });
	}

	/** @param {Older} loaded @param {boolean} byKeyboard */
	function showOlder({ items }, byKeyboard) {
		const last = shown.at(-1);
		if (scope === 'page' || scope === 'search') for (const { id } of items) ids.add(id);
		max = Math.max(max, shown.length + PAGE);
		// A paused page keeps what it shows, and goes on below it.
		if (paused && last)
			shown = shown.concat(select().filter((item) => newestFirst(last, item) < 0)).slice(0, max);
		paint();
		const next = shown[shown.findIndex((item) => item.id === last?.id) + 1];
		const row = byKeyboard && next && document.getElementById(`item-${next.id}`);
		if (!row) return;
		// On the row, where the key that was pressed does nothing if it is pressed again.
		row.tabIndex = -1;
		row.focus();
	}

	/** @param {number} id */
	function focusOn(id) {
		/** @type {HTMLElement | null} */ (list.querySelector(`#item-${id} a`))?.focus();
	}
}
