/**
 * Keeps one feed up to date by whatever the network lets through: WebSocket, else SSE, else polling.
 * What messages mean is decided in client.js; here is only when to connect, close and connect again.
 *
 * @import { Connection, Effect, Listener, Status } from '../../types/feed.d.ts'
 * @import { Message } from '../../types/wire.d.ts'
 */
import { apply, applyOlder, newState, serverNow } from './client.js';

const SECOND = 1000;
/** Without a first message for this long, plain GETs are sent beside the attempts: networks that let nothing else through let those through. */
const FIRST_PAINT = 3 * SECOND;
/** A connection without a first message for this long is given up. */
const FIRST_MESSAGE = 20 * SECOND;
/** A connection is given up after this many heartbeats' time without a message. */
const SILENT_HEARTBEATS = 2.5;
/** A shorter loss is not shown to the reader. */
const STALE_AFTER = 5 * SECOND;
/** A hidden page closes its connection after this. */
const HIDDEN_FOR = 45 * SECOND;
const RETRY_WEBSOCKET = 300 * SECOND;

/** Transports, best first, and how many failures in a row lead from one to the next. */
const WEBSOCKET = 0;
const SSE = 1;
const POLL = 2;
const FAILURES = [3, 2];

/** So many event streams a page opens: over HTTP/1.1 a browser has six connections to a site, and requests need some. */
const STREAMS = 4;
/** The states of the connections that have one. */
const streams = new Set();

/**
 * One connection per feed, transport and page, shared by all tickers: only the first script of a page defines the element,
 * however many versions it includes.
 *
 * @type {Record<string, Connection>}
 */
const connections = {};

/**
 * Return the page's one connection to a feed over a transport. It is open while it has subscribers, and goes on from its
 * cursor when it has one again.
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

/** @param {string} url the feed's API address @param {number} best the transport to begin with @returns {Connection} */
function connect(url, best) {
	const state = newState();
	/** @type {Set<Listener>} */
	const listeners = new Set();
	/** @type {Record<string, false | ReturnType<typeof setTimeout> | undefined>} */
	const timers = {};
	let transport = best;
	/** Failures in a row of this transport. */
	let failures = 0;
	/** Attempts since the last message. */
	let attempts = 0;
	/** @type {boolean | undefined} */
	let asleep;
	/** @type {number | undefined} ms, from a goodbye or a Retry-After */
	let retry;
	/** The cursor that the present attempt went out with. */
	let asked = '';
	/** Whether plain GETs beside the attempts get through. */
	let besides = false;
	/** Number of the present attempt: whatever comes from an earlier one is ignored. */
	let current = 0;
	/** @type {WebSocket | EventSource | undefined} */
	let socket;

	/** @type {Connection} */
	const connection = {
		apiUrl: url,
		state,
		status: 'connecting',
		upToDateAt: 0,
		now: () => serverNow(state, performance.now()),
		historyOf: async (id) => (await (await get(`/items/${id}/history`)).json()).history,
		reach(tag) {
			const { kept, next, cursor } = state;
			const before = kept.get(tag) ?? next;
			if (before) {
				kept.set(tag, 0);
				// Under an address with our cursor no cache has anything older than that.
				const query = `?before=${before}&cursor=${cursor}`;
				get(`/items${query}${tag && `&tag=${encodeURIComponent(tag)}`}`)
					.then((answer) => answer.json())
					// Not behind a snapshot that has come meanwhile.
					.then((page) => kept === state.kept && notify(applyOlder(state, page, tag)))
					.catch(() =>
						setTimeout(
							() => {
								kept.set(tag, before);
								notify();
							},
							between(5, 10),
						),
					);
			}
			return before !== '';
		},
		subscribe(listener) {
			listeners.add(listener);
			if (listeners.size < 2 && !timers.leave) open();
			setTimer('leave');
			return () => {
				// An element that is moved unsubscribes and subscribes again at once, which must not close the connection.
				if (listeners.delete(listener)) setTimer('leave', 0, () => listeners.size || close());
			};
		},
		reconnect() {
			transport = best;
			failures = attempts = 0;
			setTimer('websocket');
			asleep &&= document.hidden;
			open();
		},
	};

	/** Set, replace or (with no act) clear a timer. @param {string} name @param {number} [ms] @param {false | (() => void)} [act] */
	function setTimer(name, ms, act) {
		clearTimeout(/** @type {any} */ (timers[name]));
		timers[name] =
			act &&
			setTimeout(() => {
				setTimer(name);
				act();
			}, ms);
	}

	/** @param {Effect} [effect] */
	const notify = (effect) => {
		for (const listener of listeners)
			try {
				listener(effect);
			} catch (error) {
				// One that fails must stop neither the others nor the connection.
				reportError(error);
			}
	};

	/** @param {Status} status */
	function setStatus(status) {
		if (connection.status === status) return;
		connection.status = status;
		notify();
	}

	// Without a header of our own: it would cost a preflight on every cross-origin poll.
	/** @param {string} path */
	const get = (path) => fetch(url + path, { cache: 'no-cache' });

	const since = () => state.cursor && `?since=${state.cursor}`;

	/** Ask once, by a plain GET, for what is new. Throws a CloseEvent's code, as a socket has it, when there is no such feed. */
	async function poll() {
		const answer = await get(`/changes${since()}`);
		if (answer.status === 404) throw { code: 4404 };
		retry = Number(answer.headers.get('Retry-After')) * SECOND || undefined;
		if (!answer.ok) throw answer;
		return { data: await answer.text() };
	}

	function open() {
		close();
		if (asleep || !listeners.size) return;
		const attempt = current;
		if (transport === SSE && streams.size >= STREAMS) transport = POLL;
		const polls = transport === POLL || state.ended;
		asked = state.cursor;
		/** @param {{ data: string }} message */
		const onmessage = ({ data }) => attempt === current && onMessage(data, polls);
		/** @param {any} [event] a CloseEvent has a code */
		const onfailure = (event) => attempt === current && onFailure(event?.code);
		setTimer('silence', FIRST_MESSAGE, onfailure);
		expectMessage();
		if (polls) {
			poll().then(onmessage, onfailure);
			return;
		}
		if (transport) streams.add(state);
		socket = transport
			? new EventSource(`${url}/stream${since()}`)
			: new WebSocket(`${url.replace('http', 'ws')}/live${since()}`);
		socket.onmessage = onmessage;
		socket.onerror = /** @type {any} */ (socket).onclose = onfailure;
		if (!timers.beside)
			setTimer('beside', connection.upToDateAt ? between(10, 15) : FIRST_PAINT, pollBeside);
	}

	/** Ask by plain GETs while no attempt gets through. The attempts go on: this is no connection. */
	async function pollBeside() {
		const { upToDateAt } = connection;
		if (asleep || !listeners.size) return;
		besides = false;
		expectMessage();
		try {
			const { data } = await poll();
			// A message may have come meanwhile.
			if (connection.upToDateAt !== upToDateAt || !receive(data)) return;
			besides = true;
			setTimer('stale');
			if (state.feed?.closed_at) return onEnd();
			setStatus('live');
		} catch (/** @type {any} */ { code }) {
			if (code) return onFailure(code);
		}
		setTimer('beside', retry ?? between(10, 15), pollBeside);
	}

	/** Become stale unless a message comes soon, however late the next attempt is. */
	function expectMessage() {
		if (!besides && !timers.stale) setTimer('stale', STALE_AFTER, becomeStale);
	}

	function close() {
		current++;
		socket?.close();
		streams.delete(state);
		setTimer('silence');
		setTimer('open');
	}

	/** Apply a message, and let the subscribers know. Returns nothing if it is no message. @param {string} text */
	function receive(text) {
		/** @type {Message} */
		let message;
		try {
			message = JSON.parse(text);
			message.type;
		} catch {
			return undefined;
		}
		const effect = apply(state, message, performance.now());
		connection.upToDateAt = connection.now();
		if (effect.changes) notify(effect);
		return { message, effect };
	}

	/** @param {string} text @param {boolean} polled */
	function onMessage(text, polled) {
		setTimer('beside');
		besides = false;
		const received = receive(text);
		// A portal's page, say, where news should be.
		if (!received) return onFailure();
		const { message, effect } = received;
		// The rest of a long catch-up.
		const more = polled && message.since && message.items?.[0];
		failures = attempts = 0;
		retry = effect.retry;
		setTimer('stale');
		setTimer('silence', SILENT_HEARTBEATS * state.heartbeat * SECOND, onFailure);
		if (!more) {
			if (state.ended || (polled && state.feed?.closed_at)) return onEnd();
			setStatus('live');
		}
		// The GET for the first paint may have overtaken the answer to this attempt: ask at once from where it led.
		if (effect.askAgain)
			return message.since === asked && asked !== state.cursor ? open() : onFailure();
		if (polled) {
			setTimer('silence');
			setTimer('open', transport === POLL && !more ? between(10, 15) : 0, open);
		}
	}

	/** Connect again later, unless the close code is final. @param {number} [code] */
	function onFailure(code) {
		close();
		if (code === 4410 || state.ended) return onEnd();
		if (/^44/.test(`${code}`)) return setStatus('error');
		expectMessage();
		// When even polling fails, the network is at fault and not the transport.
		if (transport === POLL) transport = best;
		else if (++failures >= FAILURES[transport]) {
			failures = 0;
			transport++;
			setTimer('websocket', RETRY_WEBSOCKET, () => {
				transport = best;
				failures = FAILURES[WEBSOCKET] - 1;
				open();
			});
		}
		setTimer('open', retry ?? between(1, Math.min(30, 2 ** ++attempts)), open);
		retry = undefined;
	}

	/** Coverage has ended, until the feed is reopened. */
	function onEnd() {
		close();
		state.ended = true;
		setStatus('ended');
		setTimer('open', between(300, 900), open);
	}

	// What is live or connecting.
	const becomeStale = () =>
		connection.upToDateAt && /^[lc]/.test(connection.status) && setStatus('stale');
	const sleep = () => {
		asleep = true;
		close();
	};
	/** Connect at once where an attempt was due later; a hidden page that sleeps goes on sleeping. */
	const wake = () => {
		if (asleep && document.hidden) return;
		const due = asleep || timers.open;
		asleep = false;
		if (due) open();
	};
	const onVisibility = () => {
		setTimer('sleep', HIDDEN_FOR, document.hidden && sleep);
		if (!document.hidden) wake();
	};
	onVisibility();
	addEventListener('visibilitychange', onVisibility);
	// A socket kept in the back/forward cache comes back looking open, and is dead.
	addEventListener('pagehide', sleep);
	addEventListener('pageshow', wake);
	// What looks open may be dead since the network went away.
	addEventListener('online', connection.reconnect);
	addEventListener('offline', becomeStale);
	return connection;
}
