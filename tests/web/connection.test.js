/** When a client connects, gives up, connects again and changes its transport, by a clock that the tests move. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Feed } from './feed.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Timers that run when the test says so. */
class Clock {
	now = 0;
	timers = new Map();
	last = 0;

	set(act, ms = 0) {
		this.timers.set(++this.last, { act, at: this.now + ms });
		return this.last;
	}

	/** Let time pass; whatever was promised meanwhile is kept first. */
	async pass(ms) {
		const end = this.now + ms;
		for (;;) {
			await new Promise(setImmediate);
			const [next] = [...this.timers].sort(([, a], [, b]) => a.at - b.at);
			if (!next || next[1].at > end) break;
			this.timers.delete(next[0]);
			this.now = Math.max(this.now, next[1].at);
			next[1].act();
		}
		this.now = end;
	}
}

let clock;
/** The attempts: by which transport, when, and the object to speak through. */
let opened;
/** When plain GETs were sent beside the attempts. */
let plain;
/** Which older pages were asked for. */
let asked;
let feed;
let random;
/** The transports that the network lets through; those in `held` it neither lets through nor refuses. */
let allowed;
let number = 0;

/** Listeners to the page's events; each connection adds its own. */
const listeners = {};
globalThis.document = { baseURI: 'https://host.example/', hidden: false };
globalThis.addEventListener = (name, act) => {
	listeners[name] = [...(listeners[name] ?? []), act];
};
globalThis.setTimeout = (act, ms) => clock.set(act, ms);
globalThis.clearTimeout = (id) => clock.timers.delete(id);
performance.now = () => clock.now;
Math.random = () => random();

/** A WebSocket or EventSource that answers with the feed's snapshot or changes where the network lets it through, else fails. */
class FakeSocket {
	constructor(url, transport, fail) {
		this.since = new URL(url).searchParams.get('since');
		opened.push({ transport, at: clock.now, socket: this });
		setImmediate(() => {
			if (this.closed || allowed.held?.includes(transport)) return;
			if (!allowed.includes(transport)) fail(this);
			else if (this.since) this.say(feed.since(this.since));
			else this.say(feed.snapshot());
		});
	}

	say(message) {
		this.onmessage({ data: JSON.stringify({ ...message, now: feed.now }) });
	}

	close() {
		this.closed = true;
	}
}

globalThis.WebSocket = class extends FakeSocket {
	constructor(url) {
		super(url, 'ws', (socket) => socket.onclose({ code: 1006 }));
	}
};
globalThis.EventSource = class extends FakeSocket {
	constructor(url) {
		super(url, 'sse', (socket) => socket.onerror());
	}
};
globalThis.fetch = async (url) => {
	const { pathname, searchParams } = new URL(url);
	if (pathname.endsWith('/items')) {
		asked.push(Object.fromEntries(searchParams));
		const page = feed.page(searchParams.get('before'), searchParams.get('tag'));
		return { json: async () => (allowed.busy ? {} : page) };
	}
	if (new Error().stack.includes('pollBeside')) plain.push(clock.now);
	else opened.push({ transport: 'poll', at: clock.now });
	if (!allowed.includes('poll')) throw new TypeError('no network');
	if (allowed.unknown) return { ok: false, status: 404, headers: new Headers() };
	if (allowed.busy)
		return { ok: false, status: 503, headers: new Headers({ 'Retry-After': '40' }) };
	const since = searchParams.get('since');
	const text = JSON.stringify(since ? feed.since(since) : feed.snapshot());
	return { ok: true, status: 200, headers: new Headers(), text: async () => text };
};

const { connectionTo } = await import('../../web/src/feed/connection.js');

beforeEach(() => {
	clock = new Clock();
	opened = [];
	plain = [];
	asked = [];
	feed = new Feed();
	feed.put({ headline: 'First' });
	random = () => 0.5;
	allowed = ['ws', 'sse', 'poll'];
});

/** Subscribe to a feed of its own. */
async function subscribe(transport) {
	const connection = connectionTo(`https://news.example/feeds/f${number++}`, transport);
	const seen = [];
	const leave = connection.subscribe((effect) =>
		seen.push(...(effect?.changes ?? []).map(({ item }) => item.version)),
	);
	await clock.pass(0);
	return { connection, seen, leave };
}

const transports = () => opened.map(({ transport }) => transport);
const waits = () => opened.slice(1).map(({ at }, i) => at - opened[i].at);
const lastSocket = () => opened.at(-1).socket;

test('after each failure the longest wait doubles, up to 30 seconds', async () => {
	allowed = [];
	random = () => 1;
	await subscribe();
	await clock.pass(3 * MINUTE);
	assert.deepEqual(
		waits()
			.slice(0, 7)
			.map((ms) => ms / SECOND),
		[2, 4, 8, 16, 30, 30, 30],
	);
});

test('a wait is drawn from all of its range, never under a second', async () => {
	allowed = [];
	let x = 1;
	random = () => {
		x = (x * 1664525 + 1013904223) % 4294967296;
		return x / 4294967296;
	};
	const firstWaits = [];
	for (let i = 0; i < 200; i++) {
		opened = [];
		const { leave } = await subscribe();
		await clock.pass(2 * SECOND);
		leave();
		await clock.pass(0);
		firstWaits.push(waits()[0]);
	}
	assert.ok(Math.min(...firstWaits) >= SECOND);
	assert.ok(Math.max(...firstWaits) <= 2 * SECOND);
	const parts = new Set(firstWaits.map((ms) => Math.floor(ms / 100)));
	assert.equal(parts.size, 10, 'every tenth of the range is drawn');
});

test('waits grow until the first message, not until a socket merely opens', async () => {
	random = () => 1;
	await subscribe();
	for (const seconds of [2, 2]) {
		lastSocket().onclose({ code: 1006 });
		await clock.pass(seconds * SECOND);
	}
	assert.deepEqual(waits(), [2 * SECOND, 2 * SECOND]);
	allowed = [];
	lastSocket().onclose({ code: 1006 });
	await clock.pass(6 * SECOND);
	assert.deepEqual(waits().slice(2), [2 * SECOND, 4 * SECOND]);
});

test('a goodbye says when to come back, and is obeyed to the millisecond, once', async () => {
	await subscribe();
	lastSocket().say({ type: 'goodbye', retry_ms: 7777, epoch: 'e1', cursor: feed.cursor });
	lastSocket().onclose({ code: 1012 });
	await clock.pass(7776);
	assert.equal(opened.length, 1);
	allowed = [];
	await clock.pass(1);
	assert.equal(opened.length, 2);
	await clock.pass(2 * SECOND);
	assert.equal(waits()[1], 1.5 * SECOND);
});

test('a connection without a first message is given up after 20 seconds, one that falls silent after 2.5 heartbeats', async () => {
	random = () => 0;
	allowed = ['ws', 'sse'];
	const { connection } = await subscribe();
	await clock.pass(62.4 * SECOND);
	assert.equal(opened.length, 1);
	globalThis.WebSocket.prototype.say = () => {};
	await clock.pass(1.2 * SECOND);
	assert.deepEqual(waits(), [63.5 * SECOND]);
	await clock.pass(21 * SECOND);
	delete globalThis.WebSocket.prototype.say;
	assert.deepEqual(waits(), [63.5 * SECOND, 21 * SECOND]);
	assert.equal(connection.status, 'stale');
});

test('three failed sockets lead to SSE, two failures there to polling', async () => {
	allowed = ['poll'];
	const { connection } = await subscribe();
	await clock.pass(MINUTE);
	assert.deepEqual(transports().slice(0, 6), ['ws', 'ws', 'ws', 'sse', 'sse', 'poll']);
	assert.deepEqual(new Set(transports().slice(5)), new Set(['poll']));
	assert.equal(connection.status, 'live');
});

test('on SSE the socket is tried again after five minutes: once if it fails, for good if not', async () => {
	allowed = ['sse', 'poll'];
	const { connection, seen } = await subscribe();
	await clock.pass(20 * SECOND);
	assert.deepEqual(transports(), ['ws', 'ws', 'ws', 'sse']);
	const heartbeat = { type: 'heartbeat', epoch: 'e1', cursor: feed.cursor };
	const minutes = async (count) => {
		for (let i = 0; i < 3 * count; i++) {
			await clock.pass(20 * SECOND);
			lastSocket().say(heartbeat);
		}
	};
	await minutes(5);
	assert.deepEqual(transports().slice(4), ['ws', 'sse']);
	assert.equal(opened[4].at - opened[2].at, 5 * MINUTE);
	allowed = ['ws', 'sse', 'poll'];
	await minutes(15);
	assert.deepEqual(transports().slice(6), ['ws']);
	assert.equal(opened[6].at - opened[4].at, 5 * MINUTE);
	assert.equal(opened[6].socket.since, feed.cursor);
	assert.equal(connection.status, 'live');
	assert.deepEqual(seen, [1]);
});

test('polling asks every 10 to 15 seconds', async () => {
	allowed = ['poll'];
	random = () => 1;
	const { seen } = await subscribe('poll');
	await clock.pass(31 * SECOND);
	random = () => 0;
	await clock.pass(26 * SECOND);
	assert.deepEqual(
		waits().map((ms) => ms / SECOND),
		[15, 15, 15, 10],
	);
	feed.put({ headline: 'Second' });
	await clock.pass(10 * SECOND);
	assert.deepEqual(seen, [1, 2]);
	assert.deepEqual(new Set(transports()), new Set(['poll']));
});

test('polling goes through a long catch-up at once, and coverage ends only behind it', async () => {
	allowed = ['poll'];
	const { connection, seen } = await subscribe('poll');
	for (let i = 0; i < 5; i++) feed.put({ headline: `Item ${i}` });
	feed.part = 2;
	feed.record = { ...feed.record, closed_at: feed.now };
	await clock.pass(20 * SECOND);
	assert.deepEqual(seen, [1, 2, 3, 4, 5, 6]);
	assert.equal(connection.status, 'ended');
	assert.deepEqual(waits().slice(1), [0, 0, 0]);
});

test('from polling the client goes back to the socket after five minutes', async () => {
	allowed = ['poll'];
	await subscribe();
	await clock.pass(MINUTE);
	assert.equal(transports().at(-1), 'poll');
	allowed = ['ws', 'sse', 'poll'];
	await clock.pass(5 * MINUTE);
	assert.equal(transports().at(-1), 'ws');
	assert.equal(opened.at(-1).at - opened[transports().lastIndexOf('sse')].at, 5 * MINUTE);
});

test('when polling fails too the network is at fault, and the best transport comes first again', async () => {
	allowed = [];
	await subscribe();
	await clock.pass(4 * MINUTE);
	assert.deepEqual(transports().slice(0, 9), [
		...['ws', 'ws', 'ws', 'sse', 'sse', 'poll'],
		...['ws', 'ws', 'ws'],
	]);
});

test('a busy server says in Retry-After when it may be asked again', async () => {
	allowed = ['poll'];
	allowed.busy = true;
	await subscribe('poll');
	await clock.pass(100 * SECOND);
	assert.deepEqual(waits(), [40 * SECOND, 40 * SECOND]);
});

test('a final close code is the end; 4410 and an ended feed are asked about every 5 to 15 minutes', async () => {
	const lost = await subscribe();
	lastSocket().onclose({ code: 4404 });
	await clock.pass(60 * MINUTE);
	assert.equal(opened.length, 1);
	assert.equal(lost.connection.status, 'error');

	opened = [];
	random = () => 1;
	const over = await subscribe();
	feed.record = { ...feed.record, closed_at: feed.now };
	lastSocket().onclose({ code: 4410 });
	await clock.pass(16 * MINUTE);
	assert.equal(over.connection.status, 'ended');
	assert.deepEqual(transports(), ['ws', 'poll']);
	assert.deepEqual(waits(), [15 * MINUTE]);
});

test('two tickers share a connection, and one that is moved keeps it', async () => {
	const { connection, leave } = await subscribe();
	const other = connection.subscribe(() => {});
	leave();
	other();
	connection.subscribe(() => {});
	await clock.pass(SECOND);
	assert.equal(opened.length, 1);
	assert.equal(lastSocket().closed, undefined);
});

test('one that has left, and leaves once more as it comes back, is not taken for one that is moved', async () => {
	const { connection, leave } = await subscribe();
	leave();
	await clock.pass(SECOND);
	assert.equal(lastSocket().closed, true);
	leave();
	connection.subscribe(() => {});
	await clock.pass(SECOND);
	assert.deepEqual(transports(), ['ws', 'ws']);
	assert.notEqual(lastSocket().closed, true);
});

test('each transport has a connection of its own, so that nobody makes the others poll', () => {
	const src = 'https://news.example/feeds/shared';
	assert.equal(connectionTo(src), connectionTo(`${src}?from=here#top`));
	assert.notEqual(connectionTo(src), connectionTo(src, 'poll'));
	for (const usual of ['ws', 'none of these', null])
		assert.equal(connectionTo(src), connectionTo(src, usual));
});

test('while the page is hidden and sleeps, neither the network nor a ticker wakes it', async () => {
	const { connection } = await subscribe();
	document.hidden = true;
	listeners.visibilitychange.at(-1)();
	await clock.pass(MINUTE);
	const before = opened.length;
	listeners.online.at(-1)();
	connection.reconnect();
	await clock.pass(MINUTE);
	assert.equal(opened.length, before);
	document.hidden = false;
	listeners.visibilitychange.at(-1)();
	await clock.pass(0);
	assert.equal(opened.length, before + 1);
});

test('back online, it asks anew from its cursor: what looks open may be dead', async () => {
	const { connection, seen } = await subscribe();
	const before = lastSocket();
	feed.put({ headline: 'Second' });
	listeners.online.at(-1)();
	await clock.pass(0);
	assert.deepEqual(transports(), ['ws', 'ws']);
	assert.equal(before.closed, true);
	assert.notEqual(lastSocket().since, null);
	assert.equal(seen.length, 2);
	assert.equal(connection.status, 'live');
});

test('back online, it begins with the best transport, whatever failed meanwhile', async () => {
	allowed = [];
	await subscribe();
	allowed = ['poll'];
	await clock.pass(MINUTE);
	assert.equal(transports().at(-1), 'poll');
	allowed = ['ws', 'sse', 'poll'];
	listeners.online.at(-1)();
	await clock.pass(0);
	assert.equal(transports().at(-1), 'ws');
	const count = opened.length;
	await clock.pass(6 * MINUTE);
	// Given up only for want of heartbeats, which this socket does not send.
	assert.ok(
		waits()
			.slice(count)
			.every((ms) => ms > MINUTE),
	);
});

test('once the browser is offline it is not called live, until something is listeners all the same', async () => {
	const { connection } = await subscribe();
	listeners.offline.at(-1)();
	assert.equal(connection.status, 'stale');
	lastSocket().say({ type: 'heartbeat', cursor: connection.state.cursor });
	assert.equal(connection.status, 'live');
});

test('what has ended stays so offline', async () => {
	const { connection } = await subscribe();
	lastSocket().say({ type: 'ended' });
	listeners.offline.at(-1)();
	assert.equal(connection.status, 'ended');
});

test('without a first message plain GETs show the news from the third second on, and the attempts go on', async () => {
	allowed.held = ['ws'];
	const { connection, seen } = await subscribe();
	await clock.pass(3 * SECOND);
	assert.deepEqual(seen, [1]);
	assert.deepEqual(transports(), ['ws']);
	assert.notEqual(lastSocket().closed, true);
	assert.equal(connection.status, 'live');
	feed.put({ headline: 'Second' });
	await clock.pass(13 * SECOND);
	assert.deepEqual(seen, [1, 2], 'and goes on asking, as polling does');
	await clock.pass(9 * SECOND);
	assert.deepEqual(transports(), ['ws', 'ws']);
	assert.equal(lastSocket().since, feed.cursor);
	allowed.held = [];
	await clock.pass(20 * SECOND);
	const before = plain.length;
	await clock.pass(20 * SECOND);
	assert.equal(connection.status, 'live');
	assert.equal(plain.length, before, 'until an attempt gets through');
	assert.deepEqual(seen, [1, 2]);
});

test('where sockets and streams are held back no two requests are further apart than by polling', async () => {
	allowed.held = ['ws', 'sse'];
	random = () => 1;
	const { connection, seen } = await subscribe();
	await clock.pass(3 * SECOND);
	for (let i = 0; i < 14; i++) {
		feed.put({ headline: 'News' });
		await clock.pass(15.1 * SECOND);
		assert.equal(seen.length, 2 + i);
		assert.equal(connection.status, 'live');
	}
	assert.deepEqual(transports().slice(0, 6), ['ws', 'ws', 'ws', 'sse', 'sse', 'poll']);
	const last = plain.at(-1);
	assert.ok(last < opened[5].at, 'once it is the transport it needs none beside');
});

test('where nothing answers, plain GETs are sent beside the attempts too, and it says that it is not up to date', async () => {
	const { connection } = await subscribe();
	allowed = [];
	lastSocket().onclose({ code: 1006 });
	await clock.pass(6 * SECOND);
	assert.equal(connection.status, 'stale');
	allowed = ['poll'];
	await clock.pass(10 * SECOND);
	assert.equal(connection.status, 'live');
	allowed = [];
	await clock.pass(20 * SECOND);
	assert.equal(connection.status, 'stale');
});

test('of a fifth event stream on a page a connection keeps off: it polls', async () => {
	allowed = ['sse', 'poll'];
	const all = [];
	for (let i = 0; i < 6; i++) all.push(await subscribe('sse'));
	assert.deepEqual(transports(), ['sse', 'sse', 'sse', 'sse', 'poll', 'poll']);
	assert.ok(all.every(({ connection }) => connection.status === 'live'));
	for (const { leave } of all) leave();
	await clock.pass(0);
	opened = [];
	await subscribe('sse');
	assert.deepEqual(transports(), ['sse']);
});

test('a ticker reaches back page by page, of the whole feed or of a tag, and what it got is kept as it changes', async () => {
	for (let i = 2; i < 13; i++) feed.put({ headline: `Item ${i}`, tags: i % 2 ? ['odd'] : [] });
	const { connection } = await subscribe();
	const { state } = connection;
	const known = () => [...state.items.keys()].sort((a, b) => a - b);
	assert.deepEqual(known(), [8, 9, 10, 11, 12]);
	assert.equal(connection.reach('odd'), true);
	assert.equal(connection.reach('odd'), true, 'is on its way');
	await clock.pass(0);
	assert.deepEqual(asked, [{ before: '8', cursor: 'e1.12', tag: 'odd' }]);
	assert.deepEqual(known(), [3, 5, 7, 8, 9, 10, 11, 12]);
	assert.equal(connection.reach('odd'), false, 'that was all');

	const { cursor } = feed;
	feed.kill(3);
	feed.put({ id: 4, headline: 'Nobody has reached for this one' });
	lastSocket().say(feed.since(cursor));
	assert.equal(state.items.get(3).status, 'killed');
	assert.equal(state.items.has(4), false);

	connection.reach('');
	await clock.pass(0);
	assert.deepEqual(known(), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
	assert.equal(state.items.get(4).headline, 'Nobody has reached for this one');
	lastSocket().say(feed.snapshot());
	assert.deepEqual(
		known(),
		[8, 9, 10, 11, 12],
		'what a snapshot leaves out may have changed unseen',
	);
	assert.equal(connection.reach('odd'), true);
	await clock.pass(0);
	assert.deepEqual(known(), [5, 7, 8, 9, 10, 11, 12]);
});

test('a page that cannot be had, or is older than what is known, is asked for again a while later', async () => {
	for (let i = 2; i < 13; i++) feed.put({ headline: `Item ${i}` });
	const { connection } = await subscribe();
	allowed.busy = true;
	connection.reach('');
	await clock.pass(0);
	assert.equal(connection.reach(''), true);
	assert.equal(asked.length, 1, 'not at once');
	allowed.busy = false;
	await clock.pass(10 * SECOND);
	const { cursor } = feed;
	const [stale] = feed.page('8').items;
	feed.put({ id: stale.id, headline: 'As it is now' });
	lastSocket().say(feed.since(cursor));
	const { page } = feed;
	feed.page = (before) => ({ ...page.call(feed, before), items: [stale] });
	connection.reach('');
	await clock.pass(0);
	assert.equal(connection.state.items.has(stale.id), false);
	feed.page = page;
	await clock.pass(10 * SECOND);
	connection.reach('');
	await clock.pass(0);
	assert.equal(connection.state.items.get(stale.id).headline, 'As it is now');
});

test('the three seconds begin with the first attempt, not with the one that is under transport', async () => {
	allowed = ['poll'];
	const { seen } = await subscribe();
	await clock.pass(3 * SECOND);
	assert.deepEqual(transports(), ['ws', 'ws']);
	assert.deepEqual(seen, [1]);
	assert.deepEqual(plain, [3 * SECOND]);
});

test('whoever got a first message, has left or sleeps by then asks for nothing more', async () => {
	await subscribe();
	await clock.pass(4 * SECOND);
	allowed.held = ['ws'];
	const { leave } = await subscribe();
	leave();
	await clock.pass(4 * SECOND);
	assert.deepEqual(plain, []);
});

test('an answer that the plain GET has overtaken is asked for again at once, and is no failure', async () => {
	allowed.held = ['ws'];
	const { state, subscribe: listen } = connectionTo('https://news.example/feeds/rendered');
	// As the script of a page begins: with the state that the server rendered.
	Object.assign(state, { epoch: 'e1', cursor: feed.cursor });
	const answer = () => feed.since('e1.1');
	listen(() => {});
	feed.put({ headline: 'Second' });
	await clock.pass(3 * SECOND);
	assert.equal(state.cursor, 'e1.2');
	allowed.held = [];
	feed.put({ headline: 'Third' });
	opened[0].socket.say(answer());
	await clock.pass(0);
	assert.deepEqual(waits(), [3 * SECOND]);
	assert.equal(lastSocket().since, 'e1.2');
	assert.equal(state.cursor, 'e1.3');
});

test('a plain GET that finds no feed is final, one that finds a busy server is not', async () => {
	allowed.held = ['ws'];
	allowed.unknown = true;
	const lost = await subscribe();
	await clock.pass(3 * SECOND);
	assert.equal(lost.connection.status, 'error');
	await clock.pass(MINUTE);
	assert.deepEqual(transports(), ['ws']);

	opened = [];
	allowed.unknown = false;
	allowed.busy = true;
	const { connection } = await subscribe();
	await clock.pass(20 * SECOND);
	assert.equal(connection.status, 'connecting');
	assert.deepEqual(transports(), ['ws']);
	await clock.pass(41 * SECOND);
	assert.deepEqual(waits(), [60 * SECOND], 'and comes back when the server said');
});

test('a plain GET of a feed that is closed says that coverage has ended', async () => {
	allowed.held = ['ws'];
	feed.record = { ...feed.record, closed_at: feed.now };
	const { connection, seen } = await subscribe();
	await clock.pass(3 * SECOND);
	assert.equal(connection.status, 'ended');
	assert.deepEqual(seen, [1]);
});

test('a full server is come back to, after its goodbye when it said, else with jitter', async () => {
	const { connection } = await subscribe();
	lastSocket().onclose({ code: 1013 });
	await clock.pass(1.5 * SECOND);
	assert.deepEqual(waits(), [1.5 * SECOND]);
	lastSocket().say({ type: 'goodbye', retry_ms: 300, epoch: 'e1', cursor: feed.cursor });
	lastSocket().onclose({ code: 1013 });
	await clock.pass(300);
	assert.deepEqual(waits().slice(1), [300]);
	lastSocket().say({ type: 'goodbye', retry_ms: 'soon', epoch: 'e1', cursor: feed.cursor });
	lastSocket().onclose({ code: 1013 });
	await clock.pass(1.5 * SECOND);
	assert.deepEqual(waits().slice(2), [1.5 * SECOND]);
	assert.equal(connection.status, 'live');
});

test('what is no message counts as a failure, and the next attempt is as good as any', async () => {
	const { connection, seen } = await subscribe();
	for (const data of ['<html>Sign in to the network</html>', 'null', '']) {
		lastSocket().onmessage({ data });
		await clock.pass(1.5 * SECOND);
	}
	assert.equal(opened.length, 4);
	assert.equal(connection.status, 'live');
	assert.deepEqual(seen, [1]);
});

test('a message of an unknown type, or with unknown fields, stops nothing', async () => {
	const { connection, seen } = await subscribe();
	lastSocket().say({ type: 'weather', epoch: 'e1', cursor: 'e1.77', rain: [{}] });
	lastSocket().say({ type: 'heartbeat', epoch: 'e1', cursor: feed.cursor, heartbeat: 'often' });
	const { cursor } = feed;
	feed.put({ uid: 'urn:uuid:1', mood: null });
	const summary = [['What we know.']];
	lastSocket().say({
		...feed.since(cursor),
		feed: { ...feed.record, version: 9, etag: 'x', summary },
	});
	assert.deepEqual(seen, [1, 2]);
	assert.equal(connection.status, 'live');
	assert.equal(opened.length, 1);
});

test('a subscriber that fails stops neither the others nor the connection', async () => {
	const reported = [];
	globalThis.reportError = (error) => reported.push(error.message);
	const { connection, seen } = await subscribe();
	connection.subscribe(() => {
		throw new Error('a fault of the page');
	});
	const late = [];
	connection.subscribe((effect) => late.push(effect));
	const { cursor } = feed;
	feed.put({});
	lastSocket().say(feed.since(cursor));
	assert.deepEqual(seen, [1, 2]);
	assert.equal(late.length, 1);
	assert.equal(connection.status, 'live');
	assert.deepEqual(reported, ['a fault of the page']);
});
