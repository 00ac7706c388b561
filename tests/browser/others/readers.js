/**
 * What the tests look at a feed with, on our page or in a ticker: the one object `reader`, set up in the page itself.
 * Complaints are listened for from here on.
 */
(() => {
	const errors = [];
	// That a browser would like an icon is no fault of the page's.
	const report = (what) => /favicon/.test(what) || errors.push(`${what}`);
	addEventListener('error', (event) => report(event.message ?? event.target.outerHTML), true);
	addEventListener('unhandledrejection', (event) => report(event.reason));
	addEventListener('securitypolicyviolation', (event) =>
		report(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`),
	);
	/** Versions in the order in which a ticker first heard of them. */
	const heard = [];
	addEventListener('ticker-item', ({ detail }) => heard.push([detail.item.version, detail.first]));

	/** Addresses of the WebSockets opened from here on. */
	const sockets = [];
	window.WebSocket = class extends WebSocket {
		constructor(url) {
			super(url);
			sockets.push(url);
		}
	};

	const ticker = () => document.querySelector('live-ticker');
	const root = () => ticker()?.shadowRoot ?? document;
	const pick = (page, shadow) => (ticker() ? shadow : page);
	const rows = () => [...root().querySelectorAll(pick('.item', '[part~=item]'))];
	const said = (row) =>
		row.querySelector(pick('.headline, .note', '[part=headline], [part=note]')).textContent;
	const find = (text) => rows().find((row) => said(row) === text);
	const scroller = () =>
		ticker() ? root().querySelector('[part=scroller]') : document.scrollingElement;

	/** Where things stood in each frame as painted, as far from where they stood at first. */
	const watched = new Map();
	const look = () => {
		for (const [element, place] of watched) {
			place.now = element.getBoundingClientRect().top;
			place.furthest = Math.max(place.furthest, Math.abs(place.now - place.first));
			place.frames++;
		}
	};
	const painted = new MessageChannel();
	painted.port1.onmessage = look;
	const frame = () => {
		painted.port2.postMessage('');
		requestAnimationFrame(frame);
	};
	requestAnimationFrame(frame);

	window.reader = {
		errors,
		heard,
		sockets,
		rows,
		find,
		scroller,
		live: () => Boolean(root().querySelector(pick('.bar.live', '.live'))),
		button: () => root().querySelector(pick('.pending button', '[part=pending]')),
		headlines: () => rows().map(said),
		/** What is to be read of a row. */
		words: (text) => find(text)?.innerText.replace(/\s+/g, ' ') ?? '',
		watch(element) {
			const first = element.getBoundingClientRect().top;
			watched.set(element, { first, now: first, furthest: 0, frames: 0 });
		},
		strayed: () => [...watched.values()].map(({ furthest }) => furthest),
		frames: () => Math.min(...[...watched.values()].map(({ frames }) => frames)),
	};
})();
