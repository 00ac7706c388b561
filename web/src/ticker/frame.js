/**
 * For pages that frame tickers (`/frame.js`, without attributes): makes each frame from this script's own site as tall as it
 * says. It believes only messages from such a frame's own window and of the site's origin, and no height beyond a limit.
 */

/** Px: more than any page wants to give to news. */
const HIGHEST = 5000;

const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
const { origin } = new URL(`${script?.src}`);

/** The frames of our site. */
const frames = () =>
	[...document.querySelectorAll('iframe')].filter(({ src }) => src.startsWith(`${origin}/`));

/** A sandboxed frame has no origin of its own. @param {HTMLIFrameElement} frame */
const originOf = ({ sandbox }) =>
	sandbox.length && !sandbox.contains('allow-same-origin') ? 'null' : origin;

addEventListener('message', (event) => {
	if (event.data?.type !== 'newsfeed-height') return;
	const height = Math.min(HIGHEST, Math.ceil(event.data.height));
	for (const frame of frames())
		if (height > 0 && event.source === frame.contentWindow && event.origin === originOf(frame))
			frame.style.height = `${height}px`;
});

// Those that have spoken already say it once more. It is no secret, and a sandboxed frame has no origin to name.
for (const frame of frames()) frame.contentWindow?.postMessage({ type: 'newsfeed-height' }, '*');
