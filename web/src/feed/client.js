/**
 * The client's rules: what a client knows of one feed, and how a message changes that.
 * No I/O and no clock of its own: every rule is tested by calling it.
 *
 * @import { Change, Effect, State } from '../../types/feed.d.ts'
 * @import { Item, Message, Page } from '../../types/wire.d.ts'
 */

/** Make the state of a client that has received nothing. @returns {State} */
export const newState = () => ({
	epoch: '',
	cursor: '',
	versions: new Map(),
	items: new Map(),
	kept: new Map(),
	next: '',
	heartbeat: 25,
	mismatches: 0,
	ended: false,
	nowAt: 0,
	now: 0,
});

/**
 * Apply one message to the state, in place, and return what follows from it.
 *
 * @param {State} state
 * @param {Message} message
 * @param {number} tick monotonic milliseconds
 * @returns {Effect}
 */
export function apply(state, message, tick) {
	observeClock(state, message.now, tick);
	const { type } = message;
	if (type === 'snapshot') return applySnapshot(state, message);
	if (type === 'changes') return applyChanges(state, message);
	if (type === 'heartbeat') {
		state.mismatches = message.cursor === state.cursor ? 0 : state.mismatches + 1;
		return { askAgain: state.mismatches > 1 };
	}
	if (type === 'ended') state.ended = true;
	return { retry: positive(message.retry_ms) };
}

/** Add a page that was fetched by `next` and completed. Returns false for a page of another epoch. @param {State} state @param {Page} page */
export function applyPage(state, page) {
	if (page.epoch !== state.epoch) return false;
	const items = readItems(page.items);
	const { floor } = state;
	state.next = page.next ?? '';
	// Pins do not reorder pages: all items above the page's last one are known.
	state.floor = state.next ? (items.at(-1) ?? floor) : undefined;
	// What was filed into the page's time since it was fetched is on it too.
	const filed = readItems(page.changed).filter((item) => floor && newestFirst(floor, item) < 0);
	for (const item of [...items, ...filed]) store(state, item);
	return true;
}

/**
 * Add a page of older items, of the whole feed or of those with a tag. Throws when it is older than what the client was sent, or
 * of another epoch.
 *
 * @param {State} state
 * @param {Page} page
 * @param {string} tag
 * @returns {Effect}
 */
export function applyOlder(state, page, tag) {
	if (page.epoch !== state.epoch) throw page;
	const { kept, versions } = state;
	const items = readItems(page.items);
	for (const { id, version } of items) {
		if (version < Number(versions.get(id))) throw page;
		kept.set(id, '');
	}
	const next = page.next ?? '';
	kept.set(tag, next);
	// Pins do not reorder pages.
	if (!tag) state.floor = next ? items.at(-1) : undefined;
	return { changes: storeAll(state, items), first: true };
}

/** Tell whether all items down to this one are known, those of every tag. @param {State} state @param {Item} item */
export const isAboveFloor = ({ floor }, item) => !floor || newestFirst(item, floor) <= 0;

/** Bring a page up to date with the `changes` message since its cursor. @param {Page} page @param {Message} changes @returns {Page} */
export function completePage(page, changes) {
	const changed = [...(page.changed ?? []), ...readItems(changes.items)];
	const newest = new Map(changed.map((item) => [item.id, item]));
	return {
		...page,
		cursor: changes.cursor,
		items: page.items.map((item) => newest.get(item.id) ?? item),
		changed: [...newest.values()],
	};
}

/** Tell whether the client was already sent something newer than the page. @param {State} state @param {Page} page */
export const isBehind = (state, page) =>
	page.items.some((item) => item.version < (state.versions.get(item.id) ?? 0));

/** What can always be shown of an item, whatever a later server put into its other fields. @param {Item} item @returns {Item} */
export function bareItem({ id, feed, version, status, published_at, headline, note }) {
	return { id, feed, version, status, published_at, headline, note };
}

/** The server's time in milliseconds. @param {State} state @param {number} tick monotonic milliseconds */
export const serverNow = (state, tick) => state.now + tick - state.nowAt;

/** Order for display: pinned, then newest first. @param {Item} a @param {Item} b */
export const inOrder = (a, b) => pinsFirst(a, b) || newestFirst(a, b);

/** @param {Item} a @param {Item} b */
export const pinsFirst = (a, b) => Number(!a.pinned) - Number(!b.pinned);

/** @param {Item} a @param {Item} b */
export const newestFirst = (a, b) =>
	Date.parse(b.published_at) - Date.parse(a.published_at) || b.id - a.id;

/** @param {Item[]} items */
const lastUnpinned = (items) =>
	items
		.filter((item) => !item.pinned)
		.sort(newestFirst)
		.at(-1);

/** @param {number | undefined} value */
const positive = (value) => (Number(value) > 0 ? value : undefined);

/**
 * The items that can be shown: nothing that a later server sends in their place makes a client fail. A null is as good as
 * an absent field.
 *
 * @param {Item[] | undefined} items
 */
function readItems(items) {
	if (!Array.isArray(items)) return [];
	const known = items.filter(
		(item) => item?.id > 0 && item.version > 0 && Date.parse(item.published_at) < Infinity,
	);
	for (const item of /** @type {any[]} */ (known))
		for (const name in item) if (item[name] === null) delete item[name];
	return known;
}

/** @param {State} state @param {string | undefined} now @param {number} tick */
function observeClock(state, now, tick) {
	const ms = Date.parse(/** @type {any} */ (now));
	if (ms > state.now) {
		state.now = ms;
		state.nowAt = tick;
	}
}

/** @param {State} state @param {Message} message @returns {Effect} */
function applySnapshot(state, message) {
	const newEpoch = message.epoch !== state.epoch;
	if (newEpoch) {
		state.versions.clear();
		state.items.clear();
	}
	const items = readItems(message.items);
	state.epoch = message.epoch;
	state.next = message.next ?? '';
	// Without older pages there is no floor: what is filed into the past of a short feed is shown.
	state.floor = state.next ? lastUnpinned(items) : undefined;
	state.heartbeat = positive(message.heartbeat) ?? state.heartbeat;
	state.kept = new Map();
	const effect = moveOn(state, message);
	// Items that the snapshot leaves out may have changed unseen, so they are forgotten.
	for (const known of state.items.keys())
		if (!items.some(({ id }) => id === known)) state.items.delete(known);
	return { ...effect, snapshot: true, newEpoch };
}

/** @param {State} state @param {Message} message @returns {Effect} */
const applyChanges = (state, message) =>
	message.since === state.cursor && message.epoch === state.epoch
		? moveOn(state, message)
		: { askAgain: true };

/** @param {State} state @param {Message} message @returns {Effect} */
function moveOn(state, message) {
	state.cursor = message.cursor;
	state.mismatches = 0;
	if (message.feed) {
		state.feed = message.feed;
		if (!message.feed.closed_at) state.ended = false;
	}
	return { changes: storeAll(state, message.items) };
}

/** @param {State} state @param {Item[]} [items] */
const storeAll = (state, items) => readItems(items).flatMap((item) => store(state, item) ?? []);

/** Remember an item's version, and keep the item if it may be shown. @param {State} state @param {Item} item @returns {Change | undefined} */
function store(state, item) {
	const { id, version } = item;
	const before = state.items.get(id);
	const known = state.versions.get(id) ?? 0;
	if (version < known) return;
	state.versions.set(id, version);
	// A time that the operator has set right takes the floor along.
	if (state.floor?.id === id) state.floor = item;
	if (item.pinned || state.kept.has(id) || isAboveFloor(state, item)) state.items.set(id, item);
	else state.items.delete(id);
	if (version > known) return { item, before, unknown: !known };
}
