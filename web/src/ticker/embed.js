/**
 * The ticker alone in a frame. The frame's address sets the ticker's attributes (`?layout=compact&max=10`); with
 * `?height=auto` the frame tells its host how tall it wants to be:
 * `{type: 'newsfeed-height', src, height}` by postMessage, in CSS pixels, and once more when its host sends it that type. A reader
 * who has scrolled past its top would lose the place whenever the frame grows, so news waits behind the button meanwhile.
 *
 * WordPress gives its frames a secret (`#?secret=…`), hears their height by `{message: 'height', value, secret}`, and follows a
 * link for them on `{message: 'link', value, secret}`, as its sandbox lets them open nothing.
 */
const ATTRIBUTES =
	'announce heading heading-level lang layout max mode order summary tags theme time timezone'.split(
		' ',
	);

/** A ticker that has nothing to show after so many ms is as tall as what is inside it. */
const SHOWN_WITHIN = 1000;

const secret = /[#?&]secret=([A-Za-z0-9]+)/.exec(location.hash)?.[1];
/** @type {(message: 'height' | 'link', value: string | number) => void} */
const tellWordPress = (message, value) => parent.postMessage({ message, value, secret }, '*');

const ticker = document.querySelector('live-ticker');
const asked = new URLSearchParams(location.search);
for (const name of ATTRIBUTES) {
	const value = asked.get(name);
	if (value !== null) ticker?.setAttribute(name, value);
}
const theme = asked.get('theme') ?? '';
const schemes = { auto: 'light dark', dark: 'dark' };
if (theme === 'auto' || theme === 'dark')
	document.documentElement.style.colorScheme = schemes[theme];
ticker?.addEventListener('ticker-status', ({ detail }) => {
	// The plain headlines for browsers without scripts: one of them may be withdrawn meanwhile.
	if (/live|stale|ended/.test(detail.status)) document.querySelector('.fallback ul')?.remove();
});
if (secret) {
	addEventListener('click', (event) => {
		const link = event.composedPath().find((element) => element instanceof HTMLAnchorElement);
		if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
		event.preventDefault();
		tellWordPress('link', link.href);
	});
}
if (secret || asked.get('height') === 'auto') {
	document.documentElement.classList.add('auto');
	const say = () => {
		const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
		parent.postMessage({ type: 'newsfeed-height', src: location.href, height }, '*');
		if (secret) tellWordPress('height', height);
	};
	const observer = new ResizeObserver(say);
	let told = false;
	// Not before the items are there, or the host's page would move twice.
	const tell = () => {
		told = true;
		observer.observe(document.documentElement);
	};
	addEventListener('message', ({ source, data }) => {
		if (told && source === parent && data?.type === 'newsfeed-height') say();
	});
	ticker?.addEventListener('ticker-status', ({ detail }) => {
		if (detail.status !== 'connecting') tell();
	});
	setTimeout(tell, SHOWN_WITHIN);
	if (!asked.has('mode') && ticker) {
		const top = document.createElement('div');
		top.className = 'top';
		document.body.prepend(top);
		new IntersectionObserver(([{ isIntersecting }]) => {
			if (isIntersecting) ticker.removeAttribute('mode');
			else ticker.setAttribute('mode', 'notify');
		}).observe(top);
	}
}
