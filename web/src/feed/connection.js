/**
 * Keeps one feed up to date over whatever the network lets through: WebSocket, else SSE, else polling.
 * What messages mean is decided in client.js; here is only when to open, close and come back.
 *
 * @import { Connection, Listener, Status } from '../../types/modules.d.ts'
 * @import { Effect } from '../../types/wire.d.ts'
 */
import { apply, newState, serverNow } from './client.js';

const SECOND = 1000;
/** A connection that says nothing at first is taken for dead after this. */
const FIRST_WORD = 20 * SECOND;
/** How many heartbeats may be late before a connection is taken for dead. */
const PATIENCE = 2.5;
/** A loss shorter than this is not worth a reader's attention. */
const STALE_AFTER = 5 * SECOND;
const HIDDEN_KEEPS = 45 * SECOND;
const RETRY_SOCKET = 300 * SECOND;

/** Ways to be connected, best first, each with the failures in a row after which the next is tried. */
const WS = 0;
const POLL = 2;
const MISSES = [3, 2];

/**
 * One connection per feed, transport and page, shared by all tickers: only the first script of a page defines the element,
 * however many versions it includes.
 *
 * @type {Record<string, Connection>}
 */
const connections = {};

/**
 * The page's one connection to a feed over a transport. It is open while someone subscribes, and goes on from its cursor when someone does again.
 *
 * @param {string} src address of the feed page; throws TypeError when it is none
 * @param {string | null} [transport] where to begin: `ws`, `sse` or `poll`
 * @returns {Connection}
 */
export function connectionTo(src, transport) {
	const { href } = new URL(src, document.baseURI);
	const [, site, feed] = /(http[^?#]*)(\/feeds\/[^/?#]+)/.exec(href) ?? [];
	if (!feed) throw TypeError(`no feed at ${src}`);
	const url = `${site}/v1${feed}`;
	const best = ['sse', 'poll'].indexOf(/** @type {any} */ (transport)) + 1;
	// biome-ignore lint/suspicious/noAssignInExpressions: every byte of the ticker counts
	return (connections[url + best] ??= connect(url, best));
}

/** @param {number} low @param {number} high seconds @returns {number} ms */
const between = (low, high) => (low + Math.random() * (high - low)) * SECOND;

/** @param {string} url the feed's API address @param {number} best the way to begin with @returns {Connection} */
function connect(url, best) {
	const state = newState();
	/** @type {Set<Listener>} */
	const listeners = new Set();
	/** @type {Record<string, false | ReturnType<typeof setTimeout> | undefined>} */
	const timers = {};
	let way = best;
	/** Failures in a row: on this way, and on any. */
	let misses = 0;
	let tries = 0;
	/** @type {boolean | undefined} */
	let asleep;
	/** @type {number | undefined} ms, as asked for by a goodbye or a Retry-After */
	let retry;
	/** Outdates whatever an earlier attempt still has to say. */
	let turn = 0;
	/** @type {WebSocket | EventSource | undefined} */
	let line;

	/** @type {Connection} */
	const connection = {
		api: url,
		state,
		status: 'connecting',
		freshAt: 0,
		now: () => serverNow(state, performance.now()),
		historyOf: async (id) => (await (await get(`/items/${id}/history`)).json()).history,
		subscribe(listener) {
			listeners.add(listener);
			if (listeners.size < 2 && !timers.leave) open();
			set('leave');
			return () => {
				// An element that is moved leaves and comes back at once; one that has left before must not be taken for it.
				if (listeners.delete(listener)) set('leave', 0, () => listeners.size || shut());
			};
		},
		renew() {
			way = best;
			misses = tries = 0;
			set('socket');
			asleep &&= document.hidden;
			open();
		},
	};

	/** Set, replace or (with no act) take back a timer. @param {string} name @param {number} [ms] @param {false | (() => void)} [act] */
	function set(name, ms, act) {
		clearTimeout(/** @type {any} */ (timers[name]));
		timers[name] =
			act &&
			setTimeout(() => {
				set(name);
				act();
			}, ms);
	}

	/** @param {Effect} [effect] */
	const tell = (effect) => {
		for (const listener of listeners) listener(effect);
	};

	/** @param {Status} status */
	function become(status) {
		if (connection.status === status) return;
		connection.status = status;
		tell();
	}

	// No header of our own: it would cost a preflight on every cross-origin poll.
	/** @param {string} path */
	const get = (path) => fetch(url + path, { cache: 'no-cache' });

	function open() {
		shut();
		if (asleep || !listeners.size) return;
		const mine = turn;
		const polled = way === POLL || state.ended;
		/** @param {{ data: string }} message */
		const onmessage = ({ data }) => mine === turn && hear(data, polled);
		/** @param {any} [event] a CloseEvent has a code */
		const gone = (event) => mine === turn && lose(event?.code);
		const since = state.cursor && `?since=${state.cursor}`;
		set('watch', FIRST_WORD, gone);
		doubt();
		if (polled)
			get(`/changes${since}`)
				.then(async (answer) => {
					if (answer.status === 404) return gone({ code: 4404 });
					retry = +(/** @type {any} */ (answer.headers.get('Retry-After'))) * SECOND;
					if (!answer.ok) throw answer;
					onmessage({ data: await answer.text() });
				})
				.catch(gone);
		else {
			line = way
				? new EventSource(`${url}/stream${since}`)
				: new WebSocket(`${url.replace('http', 'ws')}/live${since}`);
			line.onmessage = onmessage;
			line.onerror = /** @type {any} */ (line).onclose = gone;
		}
	}

	/** Say so if nothing is heard for a while from now on, however long the next try is put off. */
	function doubt() {
		if (!timers.stale) set('stale', STALE_AFTER, fade);
	}

	function shut() {
		turn++;
		line?.close();
		set('watch');
		set('open');
	}

	/** @param {string} text @param {boolean} polled */
	function hear(text, polled) {
		const message = JSON.parse(text);
		const effect = apply(state, message, performance.now());
		// The rest of a long catch-up.
		const more = polled && message.since && message.items[0];
		connection.freshAt = connection.now();
		misses = tries = 0;
		retry = effect.retry;
		set('stale');
		set('watch', PATIENCE * state.heartbeat * SECOND, lose);
		if (effect.changes) tell(effect);
		if (!more) {
			if (state.ended || (polled && state.feed?.closed_at)) return end();
			become('live');
		}
		if (effect.ask) return lose();
		if (polled) {
			set('watch');
			set('open', way === POLL && !more ? between(10, 15) : 0, open);
		}
	}

	/** Come back later, unless the close code is final. @param {number} [code] */
	function lose(code) {
		shut();
		if (code === 4410 || state.ended) return end();
		if (/^44/.test(`${code}`)) return become('error');
		doubt();
		// When even polling fails, the network is at fault and not the socket.
		if (way === POLL) way = best;
		else if (++misses >= MISSES[way]) {
			misses = 0;
			way++;
			set('socket', RETRY_SOCKET, () => {
				way = best;
				misses = MISSES[WS] - 1;
				open();
			});
		}
		set('open', retry || between(1, Math.min(30, 2 ** ++tries)), open);
		retry = 0;
	}

	/** Coverage is over, until it is reopened. */
	function end() {
		shut();
		state.ended = true;
		become('ended');
		set('open', between(300, 900), open);
	}

	const fade = () => connection.status === 'live' && become('stale');
	const fallAsleep = () => {
		asleep = true;
		shut();
	};
	/** Go on at once where there was something to wait for; what sleeps unseen goes on sleeping. */
	const wake = () => {
		if (asleep && document.hidden) return;
		const waited = asleep || timers.open;
		asleep = false;
		if (waited) open();
	};
	const look = () => {
		set('sleep', HIDDEN_KEEPS, document.hidden && fallAsleep);
		if (!document.hidden) wake();
	};
	look();
	addEventListener('visibilitychange', look);
	// A socket kept through the back/forward cache comes back looking open, and is dead.
	addEventListener('pagehide', fallAsleep);
	addEventListener('pageshow', wake);
	// What looks open may be dead since the tunnel.
	addEventListener('online', connection.renew);
	addEventListener('offline', fade);
	return connection;
}
