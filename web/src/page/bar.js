/**
 * The bar over the list: whether the feed is live, and the Pause button.
 *
 * @import { Connection } from '../../types/feed.d.ts'
 * @import { Scope, Wording } from '../../types/page.d.ts'
 */
import { isAnnounced } from '../dom/announcer.js';
import { make } from '../dom/make.js';

/**
 * Take over the bar that the server rendered.
 *
 * @param {Connection} connection
 * @param {Wording} wording
 * @param {Scope} scope
 * @param {(text: string) => void} announce called when the feed becomes stale, is live again, or ends
 */
export function takeOverBar(connection, wording, scope, announce) {
	const { words } = wording;
	const bar = /** @type {HTMLElement} */ (document.getElementById('bar'));
	const status = /** @type {HTMLElement} */ (document.getElementById('status'));
	// Hidden at first: beside the server's words a small screen has no room for it, and the news would shift.
	const pause = make('button', { type: 'button', hidden: '' }, words.pause);
	status.after(pause);
	let before = connection.status;
	// On paper "Live" means nothing; when it was printed does.
	addEventListener('beforeprint', () => {
		if (connection.upToDateAt) bar.dataset.at = wording.dated(connection.now());
	});
	return {
		pause,
		/** Show how the feed is. @param {boolean} paused */
		paint(paused) {
			const { status: now, upToDateAt, state } = connection;
			if (now === 'connecting' && !upToDateAt) return;
			const closed = now === 'ended' && Date.parse(state.feed?.closed_at ?? '');
			const text = closed
				? words.closed.replace('{t}', wording.dated(closed))
				: now === 'live' && scope === 'search'
					? ''
					: words[now].replace('{t}', upToDateAt && wording.beside(upToDateAt, connection.now()));
			pause.textContent = paused ? words.resume : words.pause;
			// The results of a search change only by edits.
			pause.hidden = (now === 'ended' && !paused) || scope === 'search';
			bar.className = `bar ${now}${paused ? ' paused' : ''}`;
			if (status.textContent !== text) status.textContent = text;
			if (now !== before && isAnnounced(before, now) && !paused) announce(text);
			before = now;
		},
	};
}
